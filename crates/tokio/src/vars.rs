//! Reads environment variables.

use std::fmt;
use std::sync::Arc;

use copilot_keyless::Variables;
use copilot_keyless::environment::{Variable, Visibility};

type Read = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where environment variables are read from.
#[derive(Clone)]
pub(crate) struct Vars(Arc<Read>);

impl Vars {
    pub(crate) fn from_fn(read: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Whether both read the same.
    #[cfg(feature = "copilot")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns the trimmed value of a variable, unless it is blank.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = (self.0)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Returns the variables that the core reads, with a mark in the place of each secret.
    pub(crate) fn all(&self) -> Variables {
        Variable::ALL
            .iter()
            .filter_map(|variable| {
                let value = self.get(variable.as_str())?;
                let secret = variable.visibility() == Visibility::Secret;
                Some((variable.as_str(), if secret { "set".to_owned() } else { value }))
            })
            .collect()
    }
}

impl Default for Vars {
    fn default() -> Self {
        Self::from_fn(|name| std::env::var(name).ok())
    }
}

impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vars")
    }
}
