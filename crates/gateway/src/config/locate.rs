//! Finds the line of a setting in a file, for messages: the parsers do not keep it.

use std::collections::HashMap;

use super::schema::Step;

/// The lines of settings, from 1, by their paths.
#[derive(Debug, Default)]
pub(super) struct Lines(HashMap<String, usize>);

/// Returns the line of a setting; that of what encloses it, if it has none of its own.
pub(super) fn line_of(path: &[Step], lines: &Lines) -> Option<usize> {
    (1..=path.len())
        .rev()
        .find_map(|length| lines.0.get(&key_of(path.get(..length)?)).copied())
}

fn key_of(path: &[Step]) -> String {
    let parts = path.iter().map(|step| match step {
        Step::Member(name) => format!("{name:?}"),
        Step::Item(at) => at.to_string(),
    });
    parts.collect::<Vec<_>>().join("/")
}

impl Lines {
    fn note(&mut self, path: &[Step], line: usize) {
        self.0.entry(key_of(path)).or_insert(line);
    }

    /// Those of a TOML file, except in texts and tables of several lines.
    pub(super) fn of_toml(text: &str) -> Self {
        let mut lines = Self::default();
        let mut counts: HashMap<String, usize> = HashMap::new();
        let mut table: Vec<Step> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if let Some(header) = line.strip_prefix('[') {
                let is_list = header.starts_with('[');
                let inner = header
                    .trim_start_matches('[')
                    .split(']')
                    .next()
                    .unwrap_or_default();
                let names = names_of(inner).0;
                table.clear();
                for (at, name) in names.iter().enumerate() {
                    table.push(Step::Member(name.clone()));
                    let key = key_of(&table);
                    if is_list && at + 1 == names.len() {
                        let count = counts.get(&key).map_or(0, |count| count + 1);
                        counts.insert(key.clone(), count);
                        lines.note(&table, index + 1);
                    }
                    // The last item of each list that the header passes.
                    if let Some(count) = counts.get(&key) {
                        table.push(Step::Item(*count));
                    }
                }
                lines.note(&table, index + 1);
                continue;
            }
            let (names, rest) = names_of(line);
            if names.is_empty() || !rest.starts_with('=') {
                continue;
            }
            let mut path = table.clone();
            for name in names {
                path.push(Step::Member(name));
                lines.note(&path, index + 1);
            }
        }
        lines
    }

    /// Those of a valid JSON file.
    pub(super) fn of_json(text: &str) -> Self {
        let mut lines = Self::default();
        // The containers around a token, and whether the next text is a name.
        let mut path: Vec<Step> = Vec::new();
        let mut names: Vec<bool> = Vec::new();
        let mut line = 1;
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            let is_list = matches!(path.last(), Some(Step::Item(_)));
            match char {
                '\n' => line += 1,
                '{' | '[' => {
                    if is_list {
                        lines.note(&path, line);
                    }
                    let is_object = char == '{';
                    path.push(if is_object {
                        Step::Member(String::new())
                    } else {
                        Step::Item(0)
                    });
                    names.push(is_object);
                }
                '}' | ']' => {
                    path.pop();
                    names.pop();
                }
                ',' => match (path.last_mut(), names.last_mut()) {
                    (Some(Step::Item(at)), _) => *at += 1,
                    (_, Some(is_name)) => *is_name = true,
                    _ => {}
                },
                ':' => {
                    if let Some(is_name) = names.last_mut() {
                        *is_name = false;
                    }
                }
                '"' => {
                    let mut quoted = String::from('"');
                    let mut is_escaped = false;
                    for inner in chars.by_ref() {
                        quoted.push(inner);
                        if inner == '"' && !is_escaped {
                            break;
                        }
                        is_escaped = inner == '\\' && !is_escaped;
                    }
                    if names.last() == Some(&true) {
                        let name = serde_json::from_str(&quoted).unwrap_or_default();
                        if let Some(last) = path.last_mut() {
                            *last = Step::Member(name);
                        }
                        lines.note(&path, line);
                    } else if is_list {
                        lines.note(&path, line);
                    }
                }
                _ if is_list && !char.is_whitespace() => lines.note(&path, line),
                _ => {}
            }
        }
        lines
    }
}

/// Reads names with dots between them, and returns what follows.
fn names_of(text: &str) -> (Vec<String>, &str) {
    let mut names = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let quote = rest.chars().next().filter(|char| matches!(char, '"' | '\''));
        let (name, after) = if let Some(quote) = quote {
            let inner = rest.get(1..).unwrap_or_default();
            inner.split_once(quote).unwrap_or((inner, ""))
        } else {
            let is_bare = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
            let end = rest.find(|char| !is_bare(char)).unwrap_or(rest.len());
            rest.split_at_checked(end).unwrap_or((rest, ""))
        };
        if name.is_empty() && quote.is_none() {
            return (names, rest);
        }
        names.push(name.to_owned());
        rest = after.trim_start();
        match rest.strip_prefix('.') {
            Some(more) => rest = more.trim_start(),
            None => return (names, rest),
        }
    }
}
