//! SVG as text: shapes, escaped texts, numbers in tenths, and the colours of the page's tokens in light and dark.

use super::layout::{Point, Rect};

/// SVG that is being written.
#[derive(Default)]
pub(crate) struct Svg {
    pub(crate) text: String,
}

impl Svg {
    /// Text that is markup already.
    pub(crate) fn raw(&mut self, markup: &str) -> &mut Svg {
        self.text.push_str(markup);
        self
    }
    /// Text of a lab or a person.
    pub(crate) fn escaped(&mut self, text: &str) -> &mut Svg {
        for c in text.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                // XML has no other control characters.
                c if c.is_control() => self.text.push(' '),
                c => self.text.push(c),
            }
        }
        self
    }
    /// A whole number.
    pub(crate) fn int(&mut self, n: i32) -> &mut Svg {
        self.text.push_str(&n.to_string());
        self
    }
    /// Tenths of a pixel.
    pub(crate) fn num(&mut self, tenths: i32) -> &mut Svg {
        if tenths < 0 {
            self.text.push('-');
        }
        let n = tenths.unsigned_abs();
        self.text.push_str(&(n / 10).to_string());
        if !n.is_multiple_of(10) {
            self.text.push('.');
            self.text.push_str(&(n % 10).to_string());
        }
        self
    }
    fn attr(&mut self, name: &str, tenths: i32) -> &mut Svg {
        self.raw(" ").raw(name).raw("=\"").num(tenths).raw("\"")
    }
    fn class(&mut self, class: &str) -> &mut Svg {
        if class.is_empty() { self } else { self.raw(" class=\"").raw(class).raw("\"") }
    }
    /// A box with round corners.
    pub(crate) fn rect(&mut self, class: &str, at: Rect, radius: i32) -> &mut Svg {
        self.raw("<rect")
            .class(class)
            .attr("x", at.x)
            .attr("y", at.y)
            .attr("width", at.w)
            .attr("height", at.h);
        if radius > 0 {
            self.attr("rx", radius);
        }
        self.raw("/>")
    }
    /// A circle.
    pub(crate) fn circle(&mut self, class: &str, at: Point, radius: i32) -> &mut Svg {
        self.raw("<circle").class(class).attr("cx", at.x).attr("cy", at.y).attr("r", radius).raw("/>")
    }
    /// A line through points, with straight corners.
    pub(crate) fn path(&mut self, class: &str, through: &[Point]) -> &mut Svg {
        self.raw("<path").class(class).raw(" d=\"");
        for (i, p) in through.iter().enumerate() {
            self.raw(if i == 0 { "M" } else { "L" }).num(p.x).raw(" ").num(p.y);
        }
        self.raw("\"/>")
    }
    /// The beginning of a text; [`Svg::end_label`] ends it.
    pub(crate) fn begin_label(&mut self, class: &str, at: Point) -> &mut Svg {
        self.raw("<text").class(class).attr("x", at.x).attr("y", at.y).raw(">")
    }
    /// See [`Svg::begin_label`].
    pub(crate) fn end_label(&mut self) -> &mut Svg {
        self.raw("</text>")
    }
    /// A text.
    pub(crate) fn label(&mut self, class: &str, at: Point, text: &str) -> &mut Svg {
        self.begin_label(class, at).escaped(text).end_label()
    }
    /// A group.
    pub(crate) fn open(&mut self, class: &str) -> &mut Svg {
        self.raw("<g").class(class).raw(">")
    }
    /// Its end.
    pub(crate) fn close(&mut self) -> &mut Svg {
        self.raw("</g>")
    }
}

/// The colours of `www/src/style/tokens.css` that the picture uses: name, light, dark. A test compares.
pub(crate) const COLOURS: &[(&str, &str, &str)] = &[
    ("paper", "#f7f6f2", "#121418"),
    ("card", "#ffffff", "#1a1d23"),
    ("sunk", "#efede7", "#22262d"),
    ("ink", "#1b1e23", "#eceae4"),
    ("ink-2", "#555b65", "#a9aeb7"),
    ("line-2", "#b9b5aa", "#545a65"),
    ("accent", "#1a5fb4", "#7db4ff"),
    ("raw", "#4d5f75", "#9fb3cb"),
    ("conntrack", "#7440c4", "#bf9dff"),
    ("mangle", "#8a5a00", "#e2b04a"),
    ("nat", "#0a716c", "#55c9c0"),
    ("filter", "#3a4bc0", "#9aa8ff"),
    ("security", "#675f54", "#bfb5a6"),
    ("defrag", "#5d636d", "#a9aeb7"),
    ("confirm", "#7440c4", "#bf9dff"),
    ("bad", "#b3202a", "#ff8a88"),
    ("good", "#1a7334", "#6fd08a"),
];

/// What is filled and stroked with which colour: selector, `f` or `s`, colour.
const PAINT: &[(&str, &str, &str)] = &[
    (".paper", "f", "paper"),
    ("text", "f", "ink"),
    (".dim,.prio,.asleep", "f", "ink-2"),
    (".wire,.joint", "s", "line-2"),
    (".joint,.tip", "f", "line-2"),
    (".on", "s", "accent"),
    (".card,.plain", "f", "card"),
    (".card,.sunk", "s", "line-2"),
    (".sunk", "f", "sunk"),
    (".here", "s", "ink-2"),
    (".focus", "s", "accent"),
    (".b-bad", "f", "bad"),
    (".b-good", "f", "good"),
    (".on-c", "f", "card"),
    (".new", "f", "nat"),
    (".carries", "s", "conntrack"),
];

/// Functions of hooks, by the colour of their name.
const FUNCS: &[&str] = &["defrag", "raw", "conntrack", "mangle", "nat", "filter", "security", "confirm"];

/// The style sheet: light, and dark where the reader's system is. `packets` have their own hues.
pub(crate) fn style(out: &mut Svg, packets: &[u32]) {
    out.raw(concat!(
        "text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Noto Sans CJK SC','PingFang SC','Microsoft YaHei','DejaVu Sans',sans-serif}",
        ".m,.m text{font-family:ui-monospace,'SF Mono','Cascadia Mono','DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:11px}",
        ".c{text-anchor:middle}.e{text-anchor:end}.b{font-weight:700}.h{font-size:11px;font-weight:700;letter-spacing:.5px}",
        ".s{font-size:10.5px}.t{font-size:16px;font-weight:700}.w{font-size:14px}.prio{font-size:10.5px}",
        ".wire{fill:none;stroke-width:2}.on{stroke-width:3}.card,.sunk{stroke-width:1}.here{stroke-width:2}.focus{stroke-width:2}",
        ".dash{stroke-dasharray:4 3}.asleep{font-style:italic}.old{text-decoration:line-through}.carries{fill:none;stroke-width:1.5;stroke-dasharray:4 3}.quiet{opacity:.35}",
        ".id{fill:#fff}",
    ));
    palette(out, packets, false);
    out.raw("@media(prefers-color-scheme:dark){.id{fill:#10131a}");
    palette(out, packets, true);
    out.raw("}");
}

fn palette(out: &mut Svg, packets: &[u32], dark: bool) {
    let colour =
        |name: &str| COLOURS.iter().find(|c| c.0 == name).map_or("#000", |c| if dark { c.2 } else { c.1 });
    for (selector, how, name) in PAINT {
        out.raw(selector).raw(property(how)).raw(colour(name)).raw("}");
    }
    for name in FUNCS {
        out.raw(".").raw(name).raw(property("f")).raw(colour(name)).raw("}");
        out.raw(".r-").raw(name).raw("{fill:none;stroke-width:2;stroke:").raw(colour(name)).raw("}");
    }
    for packet in packets {
        let (saturation, light) = if dark { (60, 70) } else { (55, 38) };
        let hue = ((*packet as u64 * 1375 + 1900) % 3600) as i32;
        let rgb = hex(hue, saturation, light);
        out.raw(".p").int(*packet as i32).raw(property("f")).raw(&rgb).raw("}");
        out.raw(".q").int(*packet as i32).raw("{stroke-width:2;stroke:").raw(&rgb).raw("}");
    }
}

fn property(how: &str) -> &'static str {
    if how == "f" { "{fill:" } else { "{stroke:" }
}

/// A colour by hue (tenths of a degree), saturation and lightness (percent): packets have the hues that the page gives them.
fn hex(hue: i32, saturation: i32, light: i32) -> String {
    let chroma = (1000 - (20 * light - 1000).abs()) * saturation / 100;
    let second = chroma * (600 - ((hue % 1200) - 600).abs()) / 600;
    let (r, g, b) = match hue / 600 {
        0 => (chroma, second, 0),
        1 => (second, chroma, 0),
        2 => (0, chroma, second),
        3 => (0, second, chroma),
        4 => (second, 0, chroma),
        _ => (chroma, 0, second),
    };
    let base = 10 * light - chroma / 2;
    let mut out = String::from("#");
    for part in [r, g, b] {
        let byte = ((part + base) * 255 + 500) / 1000;
        for digit in [byte / 16, byte % 16] {
            out.push(char::from_digit(digit as u32, 16).unwrap_or('0'));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{COLOURS, Svg, hex};

    #[test]
    fn colours_are_those_of_the_page() {
        let tokens = include_str!("../../../../www/src/style/tokens.css");
        let (light, dark) = tokens.split_once("[data-theme=\"dark\"]").expect("a dark theme");
        for (name, bright, dim) in COLOURS {
            assert!(light.contains(&format!("--{name}: {bright};")), "light {name}");
            assert!(dark.contains(&format!("--{name}: {dim};")), "dark {name}");
        }
    }

    #[test]
    fn hues_and_numbers_are_written_as_css_reads_them() {
        assert_eq!(hex(0, 100, 50), "#ff0000");
        assert_eq!(hex(1200, 100, 50), "#00ff00");
        assert_eq!(hex(2400, 100, 50), "#0000ff");
        assert_eq!(hex(1800, 55, 38), "#2c9696");
        let mut out = Svg::default();
        out.num(-5).raw(" ").num(120).raw(" ").num(13).escaped("<a&\u{7}");
        assert_eq!(out.text, "-0.5 12 1.3&lt;a&amp; ");
    }
}
