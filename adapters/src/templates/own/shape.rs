//! Looks at a template before the engine does: it reads nested blocks by calling itself, so that
//! very deep ones would end the process, and takes its time over very many.

/// Blocks within blocks, each `else` with a condition being one.
const DEPTH: usize = 32;
/// Expressions in one part. The engine counts lines from the start for each of them.
const EXPRESSIONS: usize = 500;
/// Brackets within brackets, inside one expression.
const BRACKETS: usize = 8;

type Place = (usize, usize);

/// Refuses what is nested too deep, too many expressions, and raw blocks.
pub(super) fn check(text: &str) -> Result<(), (Place, String)> {
    // What each open block has added to the depth.
    let mut open: Vec<usize> = Vec::new();
    let (mut at, mut count) = (0, 0);
    while let Some(start) = find(text, at, "{{") {
        let wrong = |reason: &str| Err((place(text, start), reason.to_owned()));
        count += 1;
        if count > EXPRESSIONS {
            return wrong("there are more than 500 expressions");
        }
        let inside = text.get(start + 2..).unwrap_or_default();
        let inside = inside.strip_prefix('~').unwrap_or(inside);
        if inside.starts_with("{{") {
            return wrong("raw blocks are not supported");
        }
        if inside.starts_with("!--") {
            at = find(text, start, "--}}").map_or(text.len(), |end| end + 4);
            continue;
        }
        let end = find(text, start, "}}").unwrap_or(text.len());
        at = end.max(start + 2);
        if inside.starts_with('!') {
            continue;
        }
        if inside.starts_with('#') {
            open.push(1);
        } else if inside.starts_with('/') {
            open.pop();
        } else if is_chain(inside)
            && let Some(last) = open.last_mut()
        {
            *last += 1;
        }
        if open.iter().sum::<usize>() > DEPTH {
            return wrong("blocks are nested too deep");
        }
        if brackets(text.get(start + 2..end).unwrap_or_default()) > BRACKETS {
            return wrong("brackets are nested too deep");
        }
    }
    Ok(())
}

/// `{{else if …}}`, and `{{^if …}}`, which is the same.
fn is_chain(inside: &str) -> bool {
    let inside = inside.trim_start();
    let rest = inside.strip_prefix("else").or_else(|| inside.strip_prefix('^'));
    rest.is_some_and(|rest| !rest.trim_start().trim_start_matches('~').starts_with("}}"))
}

fn brackets(expression: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in expression.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn find(text: &str, from: usize, what: &str) -> Option<usize> {
    text.get(from..)?.find(what).map(|at| from + at)
}

/// Line and column, counted from 1.
fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
