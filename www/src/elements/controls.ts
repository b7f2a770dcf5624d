/// Play, step, seek: the bar at the bottom, with a lane of packets over the scrubber.
import { html, type PropertyValues, type TemplateResult } from "lit";
import { hue, Piece } from "../piece.js";

/** Signs as paths in a box of 24: fonts differ in what they have. */
const SIGNS = {
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  next: "M6 6v12l8-6zM15 6h2.5v12H15z",
  previous: "M18 6v12l-8-6zM6.5 6H9v12H6.5z",
  nextPacket: "M4 6v12l7-6zM11 6v12l7-6zM18 6h2.5v12H18z",
  previousPacket: "M20 6v12l-7-6zM13 6v12l-7-6zM3.5 6H6v12H3.5z",
  turn: "M7 12l5-6 5 6-5 6zM18 6h2.5v12H18z",
};

/** What one can run to: the words, and the groups of events. */
const TARGETS = [
  ["run_verdict", "verdict"],
  ["run_drop", "drop"],
  ["run_nat", "nat"],
  ["run_rewrite", "rewrite"],
  ["run_entry", "entry"],
  ["run_rule", "rule"],
] as const;

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];

export class Controls extends Piece {
  #drawn = "";
  #watch: ResizeObserver | undefined;

  override firstUpdated(): void {
    this.#watch = new ResizeObserver(() => this.draw());
    const canvas = this.querySelector("canvas");
    if (canvas) this.#watch.observe(canvas);
  }
  override disconnectedCallback(): void {
    this.#watch?.disconnect();
    super.disconnectedCallback();
  }

  protected override render(): TemplateResult {
    const p = this.player;
    const button = (label: string, sign: keyof typeof SIGNS, act: () => void, off = false, more = ""): TemplateResult =>
      html`<button class="btn ${more}" title=${label} aria-label=${label} ?disabled=${off} @click=${act}><svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d=${SIGNS[sign]} /></svg></button>`;
    const start = p.at === 0;
    const end = p.at >= p.len;
    const time = p.view?.time ?? 0;
    return html`
      <div class="buttons">
        ${button(this.w("packet_back"), "previousPacket", () => p.stepPacket(-1), start)}
        ${button(this.w("step_back"), "previous", () => p.step(-1), start)}
        ${button(this.w(p.playing ? "pause" : "play"), p.playing ? "pause" : "play", () => p.toggle(), p.len === 0, "main")}
        ${button(this.w("step"), "next", () => p.step(1), end)}
        ${button(this.w("packet_on"), "nextPacket", () => p.stepPacket(1), end)}
        ${button(this.w("turn_on"), "turn", () => p.turn(1), end, "turn")}
      </div>
      <div class="scrub">
        <canvas aria-hidden="true"></canvas>
        <input type="range" min="0" max=${p.len} step="1" .value=${String(p.at)} aria-label=${this.w("position")}
          aria-valuetext=${this.w("step_of", { n: p.at, len: p.len })}
          @input=${(e: InputEvent) => {
            p.pause();
            p.seek(Number((e.target as HTMLInputElement).value));
          }} />
      </div>
      <div class="figures">
        <select class="to" aria-label=${this.w("run_to")} ?disabled=${end} @change=${(e: Event) => {
          const select = e.target as HTMLSelectElement;
          const group = TARGETS[select.selectedIndex - 2]?.[1];
          if (select.selectedIndex === 1) p.runToBreak();
          else if (group) p.runTo(group);
          select.selectedIndex = 0;
        }}>
          <option>${this.w("run_to")}</option>
          <option ?disabled=${p.breaks.length === 0}>${this.w("run_break")}</option>
          ${TARGETS.map(([name]) => html`<option>${this.w(name)}</option>`)}
        </select>
        <label>${this.w("speed")}
          <select @change=${(e: Event) => p.setSpeed(Number((e.target as HTMLSelectElement).value))}>
            ${SPEEDS.map((s) => html`<option value=${s} ?selected=${s === p.speed}>${s}×</option>`)}
          </select>
        </label>
        <span class="num" title=${this.w("simulated_time")}>t = ${time.toFixed(3)} s</span>
        <span class="num step">${this.w("step_of", { n: p.at, len: p.len })}</span>
      </div>`;
  }

  protected override updated(_: PropertyValues): void {
    this.draw();
  }

  /** A bar a packet in its hue, red-ended where it was dropped, and a diamond where the lab speaks. */
  private draw(): void {
    const canvas = this.querySelector("canvas");
    const { lab, len } = this.player;
    if (!canvas || !lab) return;
    const w = canvas.clientWidth;
    const h = canvas.clientHeight;
    const dark = this.scope.dataset["theme"] === "dark";
    const key = `${w}/${h}/${dark}/${len}/${lab.text.length}/${lab.packets.length}/${devicePixelRatio}`;
    if (key === this.#drawn || w === 0) return;
    this.#drawn = key;
    canvas.width = w * devicePixelRatio;
    canvas.height = h * devicePixelRatio;
    const g = canvas.getContext("2d");
    if (!g) return;
    g.scale(devicePixelRatio, devicePixelRatio);
    g.clearRect(0, 0, w, h);
    const inset = 8;
    const x = (n: number): number => inset + ((w - 2 * inset) * n) / Math.max(1, len);
    const style = getComputedStyle(this.scope);
    lab.packets.forEach((p, i) => {
      const y = 3 + (i % 2) * 5;
      const x0 = x(p.first);
      const x1 = Math.max(x0 + 2, x(p.last) - 1);
      g.fillStyle = `hsl(${hue(p.id)} ${dark ? "55% 62%" : "55% 42%"})`;
      g.fillRect(x0, y, x1 - x0, 4);
      if (p.fate === "dropped") {
        g.fillStyle = style.getPropertyValue("--bad");
        g.fillRect(x1 - 3, y - 2, 3, 8);
      }
    });
    g.fillStyle = style.getPropertyValue("--ink");
    for (const at of this.player.stops) {
      const cx = x(at);
      g.beginPath();
      g.moveTo(cx, h - 9);
      g.lineTo(cx + 4, h - 5);
      g.lineTo(cx, h - 1);
      g.lineTo(cx - 4, h - 5);
      g.fill();
    }
  }
}

customElements.define("hw-controls", Controls);
