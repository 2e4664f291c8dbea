//! Walks through every world that can be reached, breadth first, so that a counterexample is as
//! short as there is one; then asks of each whether it ends well when nothing more goes wrong.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::promises;
use crate::rules::Rules;
use crate::steps::{Action, steps};
use crate::world::World;

/// What was seen when every promise was kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Explored {
    pub worlds: usize,
    pub steps: usize,
    /// The most often that one mail was taken.
    pub most_copies: usize,
}

/// A promise that was broken, and the shortest way to it.
#[derive(Debug)]
pub struct Counterexample {
    pub promise: &'static str,
    pub trace: String,
}

/// More than any run here needs; one that does would take minutes.
const MOST_WORLDS: usize = 3_000_000;

/// What is remembered of the worlds, by number. Of a world itself only its hash: among millions of
/// them, that two share their 64 bits is less likely than one in a million.
#[derive(Default)]
struct Graph {
    hashes: Vec<u64>,
    settled: Vec<bool>,
    /// From which world, by which action, a world was first reached.
    from: Vec<Option<(usize, Action)>>,
    /// Where the steps that need neither a fault nor a command lead.
    free: Vec<Vec<usize>>,
}

/// Explores everything that `rules` allow.
pub fn explore(rules: &Rules) -> Result<Explored, Counterexample> {
    let mut graph = Graph::default();
    let mut seen = Explored { worlds: 0, steps: 0, most_copies: 0 };
    let first = World::new(rules.faults, rules.commands);
    let mut known = HashMap::from([(hash(&first), graph.add(&first, None))]);
    let mut ahead = VecDeque::from([first]);
    while let Some(world) = ahead.pop_front() {
        let at = seen.worlds;
        assert!(at < MOST_WORLDS, "the model has grown beyond what can be explored");
        seen.worlds += 1;
        seen.most_copies = seen.most_copies.max(promises::copies(&world));
        let mut free = Vec::new();
        for (action, is_free, after) in steps(&world, rules) {
            seen.steps += 1;
            if let Some(promise) = promises::broken(&world, action, &after) {
                let mut actions = graph.way_to(at);
                actions.push(action);
                return Err(counterexample(promise, &actions, &after));
            }
            let number = *known.entry(hash(&after)).or_insert_with(|| {
                let number = graph.add(&after, Some((at, action)));
                ahead.push_back(after);
                number
            });
            if is_free {
                free.push(number);
            }
        }
        graph.free.push(free);
    }
    match graph.stuck() {
        None => Ok(seen),
        Some(at) => {
            let promise = "nothing is lost: without further faults every mail is settled";
            Err(counterexample(promise, &graph.way_to(at), &graph.world(at, rules)))
        }
    }
}

impl Graph {
    fn add(&mut self, world: &World, from: Option<(usize, Action)>) -> usize {
        self.hashes.push(hash(world));
        self.settled.push(world.settled());
        self.from.push(from);
        self.hashes.len() - 1
    }

    /// A world from which some fault-free run goes round in circles or ends with a mail that is not
    /// settled. Worlds are struck off from the good ends backwards, each once all that may follow is.
    fn stuck(&self) -> Option<usize> {
        let all = || 0..self.free.len();
        let mut before = vec![Vec::new(); self.free.len()];
        for (from, free) in self.free.iter().enumerate() {
            for to in free {
                before[*to].push(from);
            }
        }
        let mut open: Vec<_> = self.free.iter().map(Vec::len).collect();
        let mut good: Vec<_> = all().filter(|at| open[*at] == 0 && self.settled[*at]).collect();
        let mut is_good = vec![false; self.free.len()];
        while let Some(at) = good.pop() {
            is_good[at] = true;
            for from in &before[at] {
                open[*from] -= 1;
                if open[*from] == 0 {
                    good.push(*from);
                }
            }
        }
        // One that cannot go on shows best what is wrong.
        let bad = |at: &usize| !is_good[*at];
        all().find(|at| bad(at) && self.free[*at].is_empty()).or_else(|| all().find(bad))
    }

    fn way_to(&self, at: usize) -> Vec<Action> {
        let steps = std::iter::successors(self.from[at], |(before, _)| self.from[*before]);
        let mut actions: Vec<_> = steps.map(|(_, action)| action).collect();
        actions.reverse();
        actions
    }

    /// Goes to a world once more.
    fn world(&self, at: usize, rules: &Rules) -> World {
        let Some((before, _)) = self.from[at] else {
            return World::new(rules.faults, rules.commands);
        };
        let mut after = steps(&self.world(before, rules), rules).into_iter().map(|step| step.2);
        after.find(|world| hash(world) == self.hashes[at]).expect("it was reached before")
    }
}

fn hash(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

fn counterexample(promise: &'static str, actions: &[Action], end: &World) -> Counterexample {
    let mut trace = String::new();
    for (number, action) in actions.iter().enumerate() {
        let _ = writeln!(trace, "{:>3}. {action:?}", number + 1);
    }
    let _ = writeln!(trace, "leads to {end:#?}");
    Counterexample { promise, trace }
}
