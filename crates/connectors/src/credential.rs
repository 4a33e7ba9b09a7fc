//! What people have entered to open an account.

use crate::{Access, ConnectorError};

impl Access {
    /// A credential that the platform cannot do without.
    pub(crate) fn credential(&self, name: &str) -> Result<&str, ConnectorError> {
        let value = self.credentials.get(name).and_then(Value::as_str).map(str::trim);
        value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| ConnectorError::Auth(format!("the connection has no {name}: enter it")))
    }
}
