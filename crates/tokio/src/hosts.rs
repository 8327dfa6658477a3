//! The hosts that a token is sent to.

/// Hosts to which requests carry the token, over `https`; to this machine also over `http`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// A name that begins with a dot stands for all names below it.
    pub(crate) fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(
            names
                .into_iter()
                .map(|name| name.into().to_ascii_lowercase())
                .collect(),
        )
    }

    pub(crate) fn allow(&self, scheme: &str, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let safe = scheme == "https" || matches!(host.as_str(), "127.0.0.1" | "localhost" | "[::1]");
        let listed =
            |name: &String| *name == host || (name.starts_with('.') && host.ends_with(name.as_str()));
        safe && self.0.iter().any(listed)
    }
}

#[cfg(test)]
mod tests {
    use super::Hosts;

    #[test]
    fn only_listed_hosts_over_https_get_a_token() {
        let hosts = Hosts::new(["myres.openai.azure.com", ".blob.core.windows.net", "localhost"]);
        assert!(hosts.allow("https", "MyRes.openai.azure.com"));
        assert!(hosts.allow("https", "a.blob.core.windows.net"));
        assert!(hosts.allow("http", "localhost"));
        assert!(!hosts.allow("http", "myres.openai.azure.com"));
        assert!(!hosts.allow("https", "evil.com"));
        assert!(!hosts.allow("https", "blob.core.windows.net.evil.com"));
        assert!(!hosts.allow("https", "xblob.core.windows.net"));
    }
}
