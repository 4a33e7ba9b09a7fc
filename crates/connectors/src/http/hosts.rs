//! Which servers may be called.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
};

use url::{Host, Url};

/// The servers that an operator has named; of all others only public ones, by TLS. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    listed: Arc<BTreeSet<Listed>>,
}

/// A host, and its port where only that one is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Listed {
    host: String,
    port: Option<u16>,
}

/// An address that may not be called; what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Not `https`, to a host that is not listed.
    #[error("the address must begin with https://, or its host be listed in ATLAS_ALLOWED_HOSTS")]
    Unencrypted,
    /// Leads to this machine or its network.
    #[error(
        "the address leads to a private network: list its host in ATLAS_ALLOWED_HOSTS if that is meant"
    )]
    Private,
    /// Not an address of a server.
    #[error("the address must name a server and no user: https://HOST")]
    NotAServer,
}

impl FromStr for Hosts {
    type Err = Forbidden;

    /// Reads `host`, `host:port` and addresses, `[::1]:8080` included, with commas between them.
    fn from_str(list: &str) -> Result<Self, Forbidden> {
        let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        let listed = names.map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { listed: Arc::new(listed) })
    }
}

impl FromStr for Listed {
    type Err = Forbidden;

    fn from_str(name: &str) -> Result<Self, Forbidden> {
        // As a URL reads them, so that both sides are written alike.
        let url = Url::parse(&format!("http://{name}")).map_err(|_| Forbidden::NotAServer)?;
        if url.path() != "/" || url.query().is_some() || !url.username().is_empty() {
            return Err(Forbidden::NotAServer);
        }
        // Port 80 is what a URL leaves away.
        let port = url.port().or_else(|| name.ends_with(":80").then_some(80));
        Ok(Self { host: url.host_str().ok_or(Forbidden::NotAServer)?.to_owned(), port })
    }
}

impl Hosts {
    /// Whether calls may go to the server of an address. What its name stands for is looked at when it is
    /// resolved.
    pub fn check(&self, url: &Url) -> Result<(), Forbidden> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::NotAServer);
        }
        let host = url.host().ok_or(Forbidden::NotAServer)?;
        let port = url.port_or_known_default().ok_or(Forbidden::NotAServer)?;
        let name = host.to_string();
        let fits = |listed: &Listed| listed.host == name && listed.port.is_none_or(|p| p == port);
        if self.listed.iter().any(fits) && matches!(url.scheme(), "http" | "https") {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(Forbidden::Unencrypted);
        }
        match host {
            Host::Ipv4(ip) if !is_public(ip.into()) => Err(Forbidden::Private),
            Host::Ipv6(ip) if !is_public(ip.into()) => Err(Forbidden::Private),
            _ => Ok(()),
        }
    }

    /// Whether an operator has named this host, at whatever port.
    #[must_use]
    pub fn lists(&self, host: &str) -> bool {
        self.listed.iter().any(|listed| listed.host.eq_ignore_ascii_case(host))
    }
}

/// Whether an address is of the public internet: neither of this machine, nor of a network that is not
/// everybody's, nor of nobody.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = match (a, b) {
        (0 | 10 | 127, _) | (224.., _) => true,
        // Carriers' own, link-local, private, and the networks of benchmarks.
        (100, 64..=127) | (169, 254) | (172, 16..=31) | (192, 168) | (198, 18 | 19) => true,
        // Protocols, examples and the old way into IPv6.
        (192, 0) => c == 0 || c == 2,
        (192, 88) => c == 99,
        (198, 51) => c == 100,
        (203, 0) => c == 113,
        _ => false,
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(mapped) = ip.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let [a, b, c, d, e, f, g, h] = ip.segments();
    if [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0] {
        // A translator's address of an IPv4 server.
        let [[g1, g2], [h1, h2]] = [g.to_be_bytes(), h.to_be_bytes()];
        return is_public_v4(Ipv4Addr::new(g1, g2, h1, h2));
    }
    let special = match (a, b) {
        // Tunnels (Teredo, 6to4), protocols and examples.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x2002, _) | (0x3fff, 0..=0xfff) => true,
        _ => false,
    };
    a & 0xe000 == 0x2000 && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, url: &str) -> Result<(), Forbidden> {
        list.parse::<Hosts>().unwrap().check(&url.parse().unwrap())
    }

    #[test]
    fn an_address_of_a_network_that_is_not_everybodys_is_not_public() {
        for ip in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:7f00:1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "3fff::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2a00:1450::1",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn an_address_that_leads_inside_must_be_listed_however_it_is_written() {
        for url in [
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "https://169.254.169.254/latest",
            "https://017700000001/",
        ] {
            assert_eq!(check("", url), Err(Forbidden::Private), "{url}");
            assert_eq!(check("chat.example.org", url), Err(Forbidden::Private), "{url}");
        }
        assert_eq!(check("127.0.0.1:8065", "http://127.0.0.1:8065/"), Ok(()));
        assert_eq!(check("127.0.0.1:8065", "https://127.0.0.1:22/"), Err(Forbidden::Private));
        assert_eq!(check("[::1]", "http://[::1]:8008/"), Ok(()));
    }

    #[test]
    fn only_a_listed_host_is_called_without_tls() {
        assert_eq!(check("", "https://chat.example.org/"), Ok(()));
        assert_eq!(check("", "http://chat.example.org/"), Err(Forbidden::Unencrypted));
        assert_eq!(check(" Chat.Example.org , x", "http://chat.example.org/"), Ok(()));
        assert_eq!(check("chat.example.org:80", "http://chat.example.org/"), Ok(()));
        assert_eq!(
            check("chat.example.org", "ftp://chat.example.org/"),
            Err(Forbidden::Unencrypted)
        );
        assert_eq!(check("x", "http://x.evil.org/"), Err(Forbidden::Unencrypted));
    }

    #[test]
    fn an_address_with_a_user_or_without_a_server_is_refused() {
        assert_eq!(check("", "https://token@chat.example.org/"), Err(Forbidden::NotAServer));
        assert_eq!(check("", "https://slack.com:pw@evil.org/"), Err(Forbidden::NotAServer));
        assert_eq!(check("", "data:text/plain,x"), Err(Forbidden::NotAServer));
        assert!("a/b".parse::<Hosts>().is_err());
        assert!("u@h".parse::<Hosts>().is_err());
    }
}
