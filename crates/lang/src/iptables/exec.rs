//! Commands change the tables, or print them.

use super::fault::{EINVAL, ENOENT, Fault, NO_CHAIN};
use super::request::{Command, Request, RuleSpec, TargetSpec};
use super::{Tool, check, list, save};
use crate::output::Output;
use hookwalk_engine::hook::Hook;
use hookwalk_engine::ruleset::{Base, Chain, ChainId, Counters, Policy, Rule, Ruleset, Table, TableKind};
use hookwalk_engine::sorted::sort_by;
use hookwalk_engine::targets::Target;
use hookwalk_engine::{FULL, Family, Host};
use std::collections::HashMap;

/// Runs a request on the host's rules.
pub(crate) fn run(host: &mut Host, tool: &Tool, request: Request, out: &mut Output) -> Result<(), Fault> {
    let before: Vec<usize> = host.rules.tables.iter().map(|t| t.chains.len()).collect();
    let result = apply(&mut host.rules, tool.family, &request, None, out);
    if result.is_err() {
        // One transaction: what it had to make for the rule goes with the rule.
        host.rules.tables.truncate(before.len());
        for (table, len) in host.rules.tables.iter_mut().zip(before) {
            table.chains.truncate(len);
        }
    }
    result
}

/// Chains by name, kept up to date while many rules are loaded.
pub(crate) type Index = HashMap<std::sync::Arc<str>, ChainId>;

/// The hook whose built-in chain has this name in this table.
pub(crate) fn builtin(kind: TableKind, name: &str) -> Option<Hook> {
    kind.hooks().iter().copied().find(|h| h.chain_name() == name)
}

fn find(table: Option<&Table>, name: &str, index: Option<&Index>) -> Option<ChainId> {
    match index {
        Some(index) => index.get(name).copied(),
        None => table?.find(name),
    }
}

/// Applies one request to the rules.
///
/// With an index (a restore), chains are looked up there, and whether rules may stand where they stand is left to the
/// end: the caller checks the whole table.
pub(crate) fn apply(
    rules: &mut Ruleset,
    family: Family,
    request: &Request,
    mut index: Option<&mut Index>,
    out: &mut Output,
) -> Result<(), Fault> {
    let lists = matches!(request.command, Command::List(_) | Command::ListRules(_));
    if !FULL && request.verbose > 0 && !lists {
        return Err(Fault::Incomplete);
    }
    let kind = request.table;
    let name = request.chain.as_deref();
    let deferred = index.is_some();
    let table = rules.table(family, kind);
    // Targets that are chains must be there.
    if let Some(rule) = request.rules.first()
        && let TargetSpec::Jump(to) | TargetSpec::Goto(to) = &rule.target
        && find(table, to, index.as_deref()).is_none()
        && builtin(kind, to).is_none()
    {
        return Err(Fault::param(words!("Chain '{to}' does not exist")));
    }
    let here = name.and_then(|n| find(table, n, index.as_deref()));
    match &request.command {
        Command::Nothing => Ok(()),
        Command::Append | Command::Insert(_) => {
            let name = name.unwrap_or_default();
            for spec in &request.rules {
                if FULL && request.verbose > 0 && request.command == Command::Append {
                    out.line(&list::echo(spec, family));
                }
                let hook = builtin(kind, name);
                if here.is_none() && hook.is_none() {
                    return Err(Fault::Operation(NO_CHAIN));
                }
                if let Command::Insert(n) = request.command {
                    let len = here.and_then(|id| table_len(rules, family, kind, id)).unwrap_or(0);
                    if n > len + 1 {
                        return Err(Fault::Operation("Index of insertion too big."));
                    }
                }
                let table = rules.table_or_new(family, kind);
                let id = match (find(Some(table), name, index.as_deref()), hook) {
                    (Some(id), _) => id,
                    (None, Some(hook)) => {
                        let id = table.base_or_new(hook);
                        if let Some(index) = index.as_deref_mut() {
                            index.insert(hook.chain_name().into(), id);
                        }
                        id
                    }
                    (None, None) => return Err(Fault::Operation(NO_CHAIN)),
                };
                let (op, at) = match request.command {
                    Command::Insert(n) => ("RULE_INSERT", Some(n - 1)),
                    _ => ("RULE_APPEND", None),
                };
                if FULL && request.verbose > 0 && at.is_some() {
                    out.line(&list::echo(spec, family));
                }
                add(table, family, id, at, spec, op, deferred, index.as_deref())?;
            }
            Ok(())
        }
        Command::Replace(n) => {
            let Some(id) = here else { return Err(Fault::Operation(NO_CHAIN)) };
            let Some(table) = rules.table_mut(family, kind) else { return Err(Fault::Operation(NO_CHAIN)) };
            let Some(spec) = request.rules.first() else { return Ok(()) };
            let at = n - 1;
            let old = match table.chain_mut(id) {
                Some(chain) if at < chain.rules.len() => chain.rules.remove(at),
                _ => return Err(Fault::Operation("Index of replacement too big.")),
            };
            if FULL && request.verbose > 0 {
                out.line(&list::echo(spec, family));
            }
            let result = add(table, family, id, Some(at), spec, "RULE_REPLACE", deferred, index.as_deref());
            if result.is_err()
                && let Some(chain) = table.chain_mut(id)
            {
                chain.rules.insert(at, old);
            }
            result
        }
        Command::Delete | Command::Check => {
            for spec in &request.rules {
                const BAD: Fault = Fault::Operation(NO_RULE);
                let (Some(id), Some(table)) = (here, rules.table_mut(family, kind)) else { return Err(BAD) };
                let wanted = rule_text(spec, family);
                let at = table.chain(id).and_then(|chain| {
                    chain.rules.iter().position(|r| save::rule(r, table, family, None) == wanted)
                });
                let Some(at) = at else { return Err(BAD) };
                if FULL && request.verbose > 0 {
                    out.line(&list::echo(spec, family));
                }
                if request.command == Command::Delete
                    && let Some(chain) = table.chain_mut(id)
                {
                    chain.rules.remove(at);
                }
            }
            Ok(())
        }
        Command::DeleteNumber(n) => {
            let chain = here.and_then(|id| rules.table_mut(family, kind)?.chain_mut(id));
            let Some(chain) = chain else { return Err(Fault::Operation(NO_CHAIN)) };
            if *n > chain.rules.len() {
                return Err(Fault::Operation("Index of deletion too big."));
            }
            chain.rules.remove(n - 1);
            Ok(())
        }
        Command::List(_) | Command::ListRules(_) if !FULL => {
            out.unprinted = true;
            if request.zero { zero(rules, family, request, None, out) } else { Ok(()) }
        }
        Command::List(number) => {
            list::chains(rules, family, request, *number, out)?;
            if request.zero { zero(rules, family, request, None, out) } else { Ok(()) }
        }
        Command::ListRules(number) => {
            list::rules(rules, family, request, *number, out)?;
            if request.zero { zero(rules, family, request, None, out) } else { Ok(()) }
        }
        Command::Flush => flush(rules, family, request, here, index, out),
        Command::Zero(number) => zero(rules, family, request, *number, out),
        Command::NewChain => {
            let name = name.unwrap_or_default();
            if here.is_some() || builtin(kind, name).is_some() {
                return Err(Fault::Operation("Chain already exists."));
            }
            let id = rules.table_or_new(family, kind).add_chain(name);
            if let Some(index) = index {
                index.insert(name.into(), id);
            }
            Ok(())
        }
        Command::DeleteChain => delete_chain(rules, family, request, here, index, out),
        Command::Rename(new) => {
            let taken = find(rules.table(family, kind), new, index.as_deref()).is_some();
            if taken || builtin(kind, new).is_some() {
                return Err(Fault::Operation("File exists."));
            }
            let Some(id) = here else { return Err(Fault::Operation(NO_CHAIN)) };
            if builtin(kind, name.unwrap_or_default()).is_some() {
                // The real tool takes the hook's chain out of its own sight by this; nobody means it.
                return Err(Fault::Refused("renaming a built-in chain is not simulated".into(), 0..0));
            }
            if new.len() >= 29 {
                return Err(Fault::Operation(NO_CHAIN));
            }
            if let Some(chain) = rules.table_mut(family, kind).and_then(|t| t.chain_mut(id)) {
                if let Some(index) = index {
                    index.remove(&chain.name);
                    index.insert(new.as_str().into(), id);
                }
                chain.name = new.as_str().into();
            }
            Ok(())
        }
        Command::Policy(policy) => {
            let policy = match policy.as_str() {
                "ACCEPT" => Policy::Accept,
                "DROP" => Policy::Drop,
                _ => return Err(Fault::Operation("Bad policy name. Run `dmesg' for more information.")),
            };
            let Some(hook) = builtin(kind, name.unwrap_or_default()) else {
                return Err(Fault::Operation("Bad built-in chain name."));
            };
            set_base(rules.table_or_new(family, kind), hook, policy, Some(Counters::default()));
            Ok(())
        }
    }
}

/// What the tools say where no rule is like the one that was written.
const NO_RULE: &str = "Bad rule (does a matching rule exist in that chain?).";

/// The nat table does not drop.
pub(crate) const NAT_DROP: &str =
    "\nThe \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n";

/// Gives a built-in chain its policy and counter. A counter that is there stays unless `counters` has one.
pub(crate) fn set_base(table: &mut Table, hook: Hook, policy: Policy, counters: Option<Counters>) {
    let id = table.base_or_new(hook);
    if let Some(chain) = table.chain_mut(id) {
        let kept = chain.base.and_then(|b| b.counters);
        chain.base = Some(Base { hook, policy, counters: counters.or(kept) });
    }
}

fn table_len(rules: &Ruleset, family: Family, kind: TableKind, id: ChainId) -> Option<usize> {
    Some(rules.table(family, kind)?.chain(id)?.rules.len())
}

/// A rule that is only written, as it would be saved.
fn rule_text(spec: &RuleSpec, family: Family) -> String {
    let mut text = String::new();
    save::put_header(&mut text, &spec.header, family);
    save::put_matches(&mut text, &spec.matches, family);
    match &spec.target {
        TargetSpec::Target(target) => save::put_target(&mut text, target, "", family),
        TargetSpec::Jump(to) => {
            text.push_str(" -j ");
            text.push_str(to);
        }
        TargetSpec::Goto(to) => {
            text.push_str(" -g ");
            text.push_str(to);
        }
    }
    text
}

/// Puts a rule into a chain. If the kernel would refuse it, the table stays as it was.
#[allow(clippy::too_many_arguments)]
fn add(
    table: &mut Table,
    family: Family,
    id: ChainId,
    at: Option<usize>,
    spec: &RuleSpec,
    op: &'static str,
    deferred: bool,
    index: Option<&Index>,
) -> Result<(), Fault> {
    let target = match &spec.target {
        TargetSpec::Target(target) => target.clone(),
        TargetSpec::Jump(to) | TargetSpec::Goto(to) => {
            // A jump to a built-in chain is refused by the kernel.
            let Some(to_id) = find(Some(table), to, index) else {
                return Err(kernel(table, id, op, EINVAL));
            };
            if table.chain(to_id).is_some_and(|c| c.base.is_some()) {
                return Err(kernel(table, id, op, "Operation not supported"));
            }
            match &spec.target {
                TargetSpec::Jump(_) => Target::Jump(to_id),
                _ => Target::Goto(to_id),
            }
        }
    };
    let rule = Rule {
        handle: table.next_handle,
        header: spec.header.clone(),
        matches: spec.matches.clone(),
        target,
        counters: spec.counters,
    };
    if let Err(why) = check::rule(&rule, table.kind, family) {
        return Err(kernel(table, id, op, why));
    }
    let place_matters = check::place_matters(&rule);
    let Some(chain) = table.chain_mut(id) else { return Err(Fault::Operation(NO_CHAIN)) };
    if chain.rules.len() >= usize::from(u16::MAX) {
        return Err(kernel(table, id, op, "Too many open files in system"));
    }
    let at = at.unwrap_or(chain.rules.len()).min(chain.rules.len());
    chain.rules.insert(at, rule);
    if place_matters
        && !deferred
        && let Err(why) = check::table(table)
    {
        if let Some(chain) = table.chain_mut(id) {
            chain.rules.remove(at);
        }
        return Err(kernel(table, id, op, why));
    }
    table.next_handle += 1;
    Ok(())
}

fn kernel(table: &Table, id: ChainId, op: &'static str, why: &'static str) -> Fault {
    let chain = table.chain(id).map_or("", |c| &c.name);
    Fault::Kernel { op, why, about: words!("rule in chain {chain}") }
}

/// The names of a table's chains in the order of listings: built-in ones by hook, then users' by name.
pub(crate) fn chain_order(table: Option<&Table>, kind: TableKind) -> Vec<(String, Option<ChainId>)> {
    let mut all: Vec<(String, Option<ChainId>)> =
        kind.hooks().iter().map(|h| (h.chain_name().to_string(), table.and_then(|t| t.base(*h)))).collect();
    if let Some(table) = table {
        let mut users: Vec<(String, Option<ChainId>)> = table
            .chains
            .iter()
            .enumerate()
            .filter_map(|(i, c)| {
                let c = c.as_ref()?;
                c.base.is_none().then(|| (c.name.to_string(), Some(ChainId(i as u16))))
            })
            .collect();
        sort_by(&mut users, |a, b| a.0.cmp(&b.0));
        all.extend(users);
    }
    all
}

/// Which chains a command is about: one by name, or all.
fn affected(
    rules: &Ruleset,
    family: Family,
    kind: TableKind,
    name: Option<&str>,
) -> Result<Vec<(String, Option<ChainId>)>, Fault> {
    let table = rules.table(family, kind);
    match name {
        None => Ok(chain_order(table, kind)),
        Some(name) => {
            let id = table.and_then(|t| t.find(name));
            if id.is_none() && builtin(kind, name).is_none() {
                return Err(Fault::Operation(NO_CHAIN));
            }
            Ok(vec![(name.to_string(), id)])
        }
    }
}

fn flush(
    rules: &mut Ruleset,
    family: Family,
    request: &Request,
    here: Option<ChainId>,
    index: Option<&mut Index>,
    out: &mut Output,
) -> Result<(), Fault> {
    let kind = request.table;
    for (name, id) in affected(rules, family, kind, request.chain.as_deref())? {
        if FULL && request.verbose > 0 {
            out.line(&format!("Flushing chain `{name}'"));
        }
        if let Some(chain) = id.and_then(|id| rules.table_mut(family, kind)?.chain_mut(id)) {
            chain.rules.clear();
        }
    }
    // Where it tells what it does, it makes the built-in chains that it tells about.
    if FULL && request.verbose > 0 && request.chain.is_none() {
        let mut index = index;
        for hook in kind.hooks() {
            let id = rules.table_or_new(family, kind).base_or_new(*hook);
            if let Some(index) = index.as_deref_mut() {
                index.insert(hook.chain_name().into(), id);
            }
        }
        return Ok(());
    }
    // A built-in chain that is named comes into being.
    if let (Some(name), None) = (request.chain.as_deref(), here)
        && let Some(hook) = builtin(kind, name)
    {
        let id = rules.table_or_new(family, kind).base_or_new(hook);
        if let Some(index) = index {
            index.insert(hook.chain_name().into(), id);
        }
    }
    Ok(())
}

fn zero(
    rules: &mut Ruleset,
    family: Family,
    request: &Request,
    number: Option<usize>,
    out: &mut Output,
) -> Result<(), Fault> {
    let kind = request.table;
    if let Some(name) = request.chain.as_deref()
        && rules.table(family, kind).and_then(|t| t.find(name)).is_none()
    {
        let listed = !matches!(request.command, Command::Zero(_)) && builtin(kind, name).is_some();
        if !listed {
            return Err(Fault::Operation(if number.is_some() { NO_RULE } else { NO_CHAIN }));
        }
    }
    // A listing before has shown all built-in chains, and they are made by being set to zero; but not their table.
    let all = !matches!(request.command, Command::Zero(_));
    let chains = affected(rules, family, kind, request.chain.as_deref())?;
    for (name, id) in &chains {
        if FULL && request.verbose > 0 && number.is_none() && (all || id.is_some()) {
            out.line(&format!("Zeroing chain `{name}'"));
        }
    }
    if all && rules.table(family, kind).is_none() {
        let about = format!("chain {}", chains.first().map_or("", |(name, _)| name));
        return Err(Fault::Kernel { op: "CHAIN_ZERO", why: ENOENT, about });
    }
    for (name, id) in chains {
        let id = match (id, builtin(kind, &name)) {
            (None, Some(hook)) if all => Some(rules.table_or_new(family, kind).base_or_new(hook)),
            (id, _) => id,
        };
        let Some(chain) = id.and_then(|id| rules.table_mut(family, kind)?.chain_mut(id)) else { continue };
        if let Some(number) = number {
            if let Some(rule) = chain.rules.get_mut(number - 1) {
                rule.counters = Counters::default();
            }
            continue;
        }
        // A policy that did not count does from now on.
        if let Some(base) = &mut chain.base {
            base.counters = Some(Counters::default());
        }
        for rule in &mut chain.rules {
            rule.counters = Counters::default();
        }
    }
    Ok(())
}

/// How many rules go to each chain.
pub(crate) fn references(table: &Table) -> Vec<u32> {
    let mut count = vec![0; table.chains.len()];
    for rule in table.chains.iter().flatten().flat_map(|c| &c.rules) {
        if let Target::Jump(to) | Target::Goto(to) = rule.target
            && let Some(n) = count.get_mut(usize::from(to.0))
        {
            *n += 1;
        }
    }
    count
}

fn delete_chain(
    rules: &mut Ruleset,
    family: Family,
    request: &Request,
    here: Option<ChainId>,
    mut index: Option<&mut Index>,
    out: &mut Output,
) -> Result<(), Fault> {
    let kind = request.table;
    let busy = |name: &str| Fault::Kernel {
        op: "CHAIN_DEL",
        why: "Device or resource busy",
        about: words!("chain {name}"),
    };
    let Some(table) = rules.table_mut(family, kind) else {
        return if request.chain.is_some() { Err(Fault::Operation(NO_CHAIN)) } else { Ok(()) };
    };
    let mut gone = Vec::new();
    match (request.chain.as_deref(), here) {
        (Some(_), None) => return Err(Fault::Operation(NO_CHAIN)),
        (Some(name), Some(id)) => {
            if FULL && request.verbose > 0 && builtin(kind, name).is_none() {
                out.line(&format!("Deleting chain `{name}'"));
            }
            let keep = |c: &Chain| c.base.is_some_and(|b| b.policy != Policy::Accept);
            if table.chain(id).is_some_and(keep) {
                return Err(Fault::Operation("Directory not empty."));
            }
            gone.push(id);
        }
        (None, _) => {
            // All of the users' chains, and built-in ones that nothing would miss.
            for (name, id) in chain_order(Some(table), kind) {
                let Some(id) = id else { continue };
                let Some(chain) = table.chain(id) else { continue };
                match &chain.base {
                    Some(base) if !chain.rules.is_empty() || base.policy != Policy::Accept => continue,
                    Some(_) => {}
                    None if FULL && request.verbose > 0 => out.line(&format!("Deleting chain `{name}'")),
                    None => {}
                }
                gone.push(id);
            }
        }
    }
    // The kernel takes the chains in order; one with rules, or that a rule goes to, stops it all.
    let count = references(table);
    sort_by(&mut gone, ChainId::cmp);
    for id in &gone {
        let Some(chain) = table.chain(*id) else { continue };
        if !chain.rules.is_empty() || count[usize::from(id.0)] > 0 {
            return Err(busy(&chain.name));
        }
    }
    for id in gone {
        if let Some(chain) = table.chains[usize::from(id.0)].take()
            && let Some(index) = index.as_deref_mut()
        {
            index.remove(&chain.name);
        }
    }
    Ok(())
}
