//! What people have entered to open an account.

use crate::{Access, ConnectorError};

impl Access {
    /// A credential that the platform cannot do without.
    pub(crate) fn needed(&self, name: &str) -> Result<&str, ConnectorError> {
        let value = self.credential(name).map(str::trim).filter(|value| !value.is_empty());
        value.ok_or_else(|| ConnectorError::Auth(format!("the connection has no {name}: enter it")))
    }
}
