//! Guesses which name was meant.

/// How many characters of an unknown name may differ from the one that is meant.
const MOST_EDITS: usize = 2;

/// The shortest unknown name that may be the beginning of the one that is meant.
const LEAST_START: usize = 4;

/// Returns a question that names the name next to an unknown one, and a space; or nothing.
pub(super) fn did_you_mean(unknown: &str, names: &[String]) -> String {
    let given = unknown.to_lowercase();
    let mut nearest = "";
    let mut least = MOST_EDITS + 1;
    for name in names {
        let lower = name.to_lowercase();
        let edits = distance(&given, &lower);
        let is_start = given.len() >= LEAST_START && lower.starts_with(&given);
        if edits < least || (is_start && nearest.is_empty()) {
            nearest = name;
        }
        least = least.min(edits);
    }
    if nearest.is_empty() {
        String::new()
    } else {
        format!("Did you mean {nearest}? ")
    }
}

/// How many characters must be added, removed or replaced to turn one text into another.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut costs: Vec<usize> = (0..=to.len()).collect();
    for (row, from) in from.chars().enumerate() {
        let mut left = row + 1;
        let mut next = vec![left];
        for ((above, diagonal), to) in costs.iter().skip(1).zip(&costs).zip(&to) {
            left = (left + 1).min(above + 1).min(diagonal + usize::from(from != *to));
            next.push(left);
        }
        costs = next;
    }
    costs.last().copied().unwrap_or_default()
}
