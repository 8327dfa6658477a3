//! Converts the path of the input to the path of the base URL.

mod azure;
mod custom;
mod parts;

use super::hosts::Site;
use super::url::Url;
use super::{Kind, ProviderType};
use crate::Result;
use parts::Route;
pub(crate) use parts::is_operation;

/// Finds the route. `wanted` is the requested type; `dated` is true if there is an API version.
pub(super) fn find(url: &Url, site: &Site, wanted: Option<ProviderType>, dated: bool) -> Result<Route> {
    match site.kind {
        Kind::Gateway | Kind::Custom | Kind::Local => custom::find(url, site.kind, wanted, dated),
        Kind::Openai => azure::openai(url, wanted),
        _ => azure::find(url, site, wanted, dated),
    }
}
