//! A picture of one moment of a run: the stage that the page shows (network, hook map, packets) as one SVG that needs
//! nothing else: no script, no font, no other file. Light or dark as its reader's system is. [`Artist::moving`] is the
//! same as a film, which plays where style sheets may.
//!
//! It is drawn from the views that the page is drawn from, by the same rules ([`layout`]), and is the picture of the story
//! pages, of `hookwalk picture` and of the page's share menu: there is no other.

mod draw;
mod film;
mod layout;
mod svg;

use crate::look::Looker;
use crate::view::{EventView, LabView, LineKind, StationKind, Text, View};
use hookwalk_lab::session::Session;

/// How a picture is wanted.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// The host whose hooks are drawn; else the one that the moment is about.
    pub focus: Option<u32>,
    /// Words of the picture in Chinese; else in English.
    pub chinese: bool,
    /// What happens at this moment, in words; drawn below, and told to those who do not see the picture.
    pub caption: &'a str,
    /// Width in pixels, at least 640.
    pub width: u32,
}

/// Draws moments of one run.
pub struct Artist {
    looker: Looker,
    lab: LabView,
}

/// Widths that can be drawn: narrower, the hooks have no room; wider, nobody needs.
const WIDTHS: std::ops::RangeInclusive<u32> = 640..=2400;

impl Artist {
    /// For a run.
    pub fn new(session: Session) -> Artist {
        let mut looker = Looker::new(session);
        let lab = looker.lab();
        Artist { looker, lab }
    }

    /// The run as a whole.
    pub fn lab(&self) -> &LabView {
        &self.lab
    }

    /// The event that leads to a position; none at 0.
    pub fn event(&mut self, at: u32) -> Option<EventView> {
        let at = at as usize;
        at.checked_sub(1).and_then(|n| self.looker.events(n, at).pop())
    }

    /// What the lab says or asks at a position, in this language.
    pub fn said(&self, at: u32, chinese: bool) -> Option<&str> {
        let speaks = |k| matches!(k, LineKind::Say | LineKind::Ask);
        let line = self.lab.lines.iter().find(|l| l.at == at && speaks(l.kind))?;
        Some(pick(&line.text, chinese))
    }

    /// The position that a word names, as the element's `start` does: `step:12` or `12`, `packet:3` (its first step), `say:2`
    /// (where the lab speaks for the second time), `end`; nothing: before the first packet.
    ///
    /// # Errors
    /// What there is instead.
    pub fn position(&self, word: &str) -> Result<u32, String> {
        let (kind, number) = word.split_once(':').unwrap_or(("step", word));
        let packets = &self.lab.packets;
        if word.is_empty() {
            return Ok(packets.first().map_or(0, |p| p.first.saturating_sub(1)));
        }
        if word == "end" {
            return Ok(self.lab.len);
        }
        let Ok(n) = number.parse::<u32>() else {
            return Err("not step:N, packet:N, say:N or end".to_owned());
        };
        let found = match kind {
            "step" => (n <= self.lab.len).then_some(n),
            "packet" => packets.iter().find(|p| p.id == n).map(|p| p.first + 1),
            "say" => {
                let speaks = |k| matches!(k, LineKind::Say | LineKind::Ask);
                let mut said = self.lab.lines.iter().filter(|l| speaks(l.kind));
                (n as usize).checked_sub(1).and_then(|i| said.nth(i)).map(|l| l.at)
            }
            _ => return Err("not step:N, packet:N, say:N or end".to_owned()),
        };
        found.ok_or_else(|| {
            let (steps, count) = (self.lab.len, packets.len());
            ["the run has ", &steps.to_string(), " steps and ", &count.to_string(), " packets"].concat()
        })
    }

    /// The station with this name, if it is a host.
    pub fn host(&self, name: &str) -> Option<u32> {
        let found = self.lab.stations.iter().position(|s| s.name == name && s.kind == StationKind::Host);
        found.map(|i| i as u32)
    }

    /// The picture of a position.
    pub fn still(&mut self, at: u32, wish: &Wish<'_>) -> String {
        let (view, _) = self.seen(at, wish);
        drawn(&self.lab, &view, wish)
    }

    /// A film from one position to another, with words for each step that it shows; it plays again and again, and stands
    /// still for readers who asked for less motion.
    pub fn moving(
        &mut self,
        from: u32,
        to: u32,
        wish: &Wish<'_>,
        mut words: impl FnMut(&mut Artist, u32) -> String,
    ) -> String {
        let (_, host) = self.seen(to, wish);
        let steps = film::steps(self, from, to);
        let shots = steps.into_iter().map(|at| {
            let words = words(self, at);
            (self.looker.view(at as usize, host), words)
        });
        let shots: Vec<(View, String)> = shots.collect();
        film::moving(&self.lab, &shots, wish, width(wish))
    }

    /// The view of a position, and the host that it shows.
    fn seen(&mut self, at: u32, wish: &Wish<'_>) -> (View, u32) {
        let host = wish.focus.unwrap_or_else(|| self.about(at));
        (self.looker.view(at as usize, host), host)
    }

    /// The host that a moment is about: of the last event there that happened on a host; else the first one.
    fn about(&mut self, at: u32) -> u32 {
        let is_host = |s: u32| self.lab.stations.get(s as usize).is_some_and(|s| s.kind == StationKind::Host);
        let mut end = at as usize;
        while end > 0 {
            let begin = end.saturating_sub(64);
            let events = self.looker.events(begin, end);
            if let Some(e) = events.iter().rev().find(|e| is_host(e.station)) {
                return e.station;
            }
            end = begin;
        }
        (0..self.lab.stations.len() as u32).find(|&s| is_host(s)).unwrap_or(0)
    }
}

/// The picture of a position, for the page, which names the host.
pub(crate) fn still(looker: &mut Looker, at: u32, host: u32, wish: &Wish<'_>) -> String {
    let view = looker.view(at as usize, host);
    drawn(&looker.lab(), &view, wish)
}

fn drawn(lab: &LabView, view: &View, wish: &Wish<'_>) -> String {
    draw::still(lab, view, wish, width(wish))
}

fn width(wish: &Wish<'_>) -> i32 {
    wish.width.clamp(*WIDTHS.start(), *WIDTHS.end()) as i32
}

/// The text in the wanted language, else in the lab's own.
pub(crate) fn pick(texts: &[Text], chinese: bool) -> &str {
    let wanted = if chinese { "zh" } else { "en" };
    let own = texts.iter().find(|t| t.lang.as_deref().is_some_and(|l| l.split('-').next() == Some(wanted)));
    own.or_else(|| texts.iter().find(|t| t.lang.is_none())).or(texts.first()).map_or("", |t| &t.text)
}

/// Words that are part of the picture; the page has the same ones, which a test compares.
pub(crate) struct Words {
    pub(crate) local_process: &'static str,
    pub(crate) routing: &'static str,
    pub(crate) skipped: &'static str,
    pub(crate) dropped: &'static str,
    pub(crate) delivered: &'static str,
    pub(crate) last: &'static str,
    pub(crate) n_packets: &'static str,
}

pub(crate) const fn words(chinese: bool) -> &'static Words {
    if chinese {
        &Words {
            local_process: "本地进程",
            routing: "路由",
            skipped: "跳过",
            dropped: "丢弃",
            delivered: "送达",
            last: "最后",
            n_packets: "{n} 个包",
        }
    } else {
        &Words {
            local_process: "local process",
            routing: "routing",
            skipped: "skipped",
            dropped: "dropped",
            delivered: "delivered",
            last: "last",
            n_packets: "{n} packets",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Artist, Wish, words};
    use hookwalk_lab::session::Session;

    const LAB: &str = "title <A & B>\ntitle[zh] 标题\nwire c eth0=10.0.0.2/24\nhost s eth0=10.0.0.1/24\nlink c:eth0 s:eth0\n\
        s# iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080\ns$ listen tcp/8080\n\
        c> tcp 10.0.0.2:40000 > 10.0.0.1:80 S seq=1\nc> reply .\nsay Done.\n";

    fn artist() -> Artist {
        Artist::new(Session::new(LAB).expect("a lab without mistakes"))
    }
    fn wish(chinese: bool) -> Wish<'static> {
        Wish { focus: None, chinese, caption: "what & why", width: 960 }
    }

    #[test]
    fn words_are_those_of_the_page() {
        for (chinese, json) in [
            (false, include_str!("../../../../www/src/words/en.json")),
            (true, include_str!("../../../../www/src/words/zh.json")),
        ] {
            let w = words(chinese);
            for (key, word) in [
                ("local_process", w.local_process),
                ("routing", w.routing),
                ("skipped", w.skipped),
                ("dropped", w.dropped),
                ("delivered", w.delivered),
                ("last", w.last),
                ("n_packets", w.n_packets),
            ] {
                assert!(json.contains(&format!("\"{key}\": \"{word}\"")), "{key}");
            }
        }
    }

    /// Tags open and close, and nothing of the lab is taken for markup.
    fn well_formed(svg: &str) {
        let mut open = Vec::new();
        for part in svg.split('<').skip(1) {
            let (tag, _) = part.split_once('>').expect("a tag that ends");
            let name = tag.split([' ', '/']).find(|n| !n.is_empty()).unwrap_or("");
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "{tag}");
            } else if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
        assert!(!svg.contains("<script") && !svg.contains("href") && !svg.contains("url("));
    }

    #[test]
    fn every_moment_can_be_drawn() {
        let mut artist = artist();
        for at in 0..=artist.lab().len {
            for chinese in [false, true] {
                let svg = artist.still(at, &wish(chinese));
                well_formed(&svg);
                assert!(svg.contains("<title"), "{at}");
                assert!(svg.contains(if chinese { "标题" } else { "&lt;A &amp; B&gt;" }), "{at}");
            }
        }
    }

    #[test]
    fn a_film_shows_every_packet_that_passes() {
        let mut artist = artist();
        let len = artist.lab().len;
        let svg = artist.moving(0, len, &wish(false), |_, at| format!("<step {at}>"));
        well_formed(&svg);
        for packet in &artist.lab().packets.clone() {
            assert!(svg.contains(&format!("\"f{}\"", packet.id)), "packet {}", packet.id);
        }
        assert!(svg.contains("prefers-reduced-motion"));
    }

    #[test]
    fn positions_are_named_as_the_element_names_them() {
        let artist = artist();
        assert_eq!(artist.position("step:3"), Ok(3));
        assert_eq!(artist.position("3"), Ok(3));
        assert_eq!(artist.position("end"), Ok(artist.lab().len));
        assert_eq!(artist.position("say:1"), Ok(artist.lab().lines.last().map_or(0, |l| l.at)));
        assert_eq!(artist.position("packet:1"), Ok(artist.lab().packets[0].first + 1));
        assert!(artist.position("packet:99").is_err());
        assert!(artist.position("step:x").is_err());
        assert!(artist.position("nowhere:1").is_err());
    }
}
