//! go-yaml's order of keys, to keep sets of names apart that have no order.
//!
//! The comparison is not transitive where digits meet letters, and `helm repo index` then writes such
//! names in an order that changes from run to run. Nothing can be compared there.

use std::cmp::Ordering;

/// Puts names into as few groups as a greedy pass finds, such that each group has one order.
pub(crate) fn groups(names: &[String]) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    for name in names {
        match groups.iter_mut().find(|group| fits(group, name)) {
            Some(group) => {
                let at = group.partition_point(|other| order(other, name) == Ordering::Less);
                group.insert(at, name.clone());
            }
            None => groups.push(vec![name.clone()]),
        }
    }
    groups
}

/// Whether a name has one place in a sorted group: greater than all before it, less than all after.
fn fits(group: &[String], name: &str) -> bool {
    let place = group
        .iter()
        .take_while(|other| order(other, name) == Ordering::Less)
        .count();
    group[place..]
        .iter()
        .all(|other| order(other, name) == Ordering::Greater)
}

fn order(left: &str, right: &str) -> Ordering {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let Some(at) = left.iter().zip(&right).position(|(l, r)| l != r) else {
        return left.len().cmp(&right.len());
    };
    let (l, r) = (left[at], right[at]);
    match (l.is_alphabetic(), r.is_alphabetic()) {
        (true, true) => l.cmp(&r),
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let continues = (l == '0' || r == '0')
                && left[..at]
                    .iter()
                    .rev()
                    .take_while(|c| c.is_ascii_digit())
                    .any(|c| *c != '0');
            let number = |text: &[char]| {
                let digits: String = text[at..]
                    .iter()
                    .take_while(|c| c.is_ascii_digit())
                    .collect();
                let lead = if continues { "1" } else { "0" };
                (
                    format!("{lead}{digits}").parse::<u64>().unwrap_or(u64::MAX),
                    digits.len(),
                )
            };
            number(&left).cmp(&number(&right)).then(l.cmp(&r))
        }
    }
}
