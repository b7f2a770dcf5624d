//! A random lab as strategies of the property-test kind: it can be drawn, and made smaller.

use super::packets::{act, routing, setting};
use super::rules::{PLACES, rule, user_rule};
use super::words::{glue, just, line, maybe, one};
use super::world::World;
use proptest::collection::vec;
use proptest::prelude::*;

/// A drawn lab: lines, in groups that shrink apart.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    world: World,
    settings: Vec<String>,
    rules: Vec<String>,
    counted: Vec<bool>,
    listing: String,
    acts: Vec<Vec<String>>,
}

/// Random labs of one family.
pub(super) fn plan(world: World) -> BoxedStrategy<Plan> {
    let settings = vec(
        prop_oneof![
            3 => line(vec![just("router# sysctl -qw"), setting()]),
            2 => glue(vec![just("router# "), routing(world)]),
            3 => one(&["router$ listen tcp/8080", "router$ listen udp/5353 echo", "router$ listen udp/53", "router$ listen tcp/80"]),
        ],
        0..4,
    );
    let forwarding = maybe(0.93, just(world.forwarding()));
    let user = prop_oneof![Just("filter"), Just("nat"), Just("mangle"), Just("raw")];
    let chain = (user, 0usize..3).prop_flat_map(move |(table, rules)| {
        vec(user_rule(world, table), rules..=rules).prop_map(move |rules| {
            // Every table has a U0, so that every jump to it finds one.
            let mut lines: Vec<String> = ["filter", "nat", "mangle", "raw", "security"]
                .iter()
                .map(|t| format!("router# {} -t {t} -N U0", world.iptables()))
                .collect();
            lines.extend(rules);
            lines
        })
    });
    let rules = vec(rule(world), 0..8);
    let counted = vec(prop::bool::weighted(0.8), PLACES.len());
    let listing = maybe(0.3, one(&["-t nat -nvL", "-nvL", "-t mangle -nvL --line-numbers", "-S", "-nvxL"]));
    let acts = vec(act(world), 1..16);
    (settings, forwarding, chain, rules, counted, listing, acts)
        .prop_map(move |(mut settings, forwarding, chain, rules, counted, listing, acts)| {
            settings.push(forwarding);
            let rules = chain.into_iter().chain(rules).collect();
            Plan { world, settings, rules, counted, listing, acts }
        })
        .boxed()
}

impl Plan {
    /// The lab's text.
    pub(super) fn text(&self, title: &str) -> String {
        let iptables = self.world.iptables();
        let mut text = format!("title {title}\n{}", self.world.head());
        let uses = |line: &String| line.ends_with("-j U0") || line.ends_with("-g U0");
        let jumps = self.rules.iter().chain(self.acts.iter().flatten()).any(uses);
        let lines = self.settings.iter().chain(&self.rules).filter(|l| !l.is_empty());
        for line in lines.filter(|l| jumps || !l.contains("U0")) {
            text.push_str(line);
            text.push('\n');
        }
        for (place, counted) in PLACES.iter().zip(&self.counted) {
            if *counted {
                text.push_str(&format!("router# {iptables} -t {} -A {}\n", place.table, place.chain));
            }
        }
        for line in self.acts.iter().flatten() {
            text.push_str(line);
            text.push('\n');
        }
        if !self.listing.is_empty() {
            text.push_str(&format!("router# {iptables} {}\n", self.listing));
        }
        let family = if self.world.v6 { " -f ipv6" } else { "" };
        text.push_str(&format!(
            "router# {iptables}-save -c\nrouter# conntrack{family} -L\nclient# frames\nserver# frames\n"
        ));
        text
    }
}
