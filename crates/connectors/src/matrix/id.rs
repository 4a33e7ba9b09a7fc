//! Ids as Matrix makes them: a sign that says of what, at most 255 bytes, no spaces.

/// Longest id that the specification allows, in bytes.
const MAX: usize = 255;

fn with(sign: char, id: &str) -> Option<&str> {
    let plain = |character: char| !character.is_control() && !character.is_whitespace();
    let fits = (2..=MAX).contains(&id.len()) && id.starts_with(sign);
    let is_plain = || id.bytes().all(|byte| byte.is_ascii_graphic()) || id.chars().all(plain);
    (fits && is_plain()).then_some(id)
}

pub(super) fn event(id: &str) -> Option<&str> {
    with('$', id)
}

pub(super) fn user(id: &str) -> Option<&str> {
    with('@', id).filter(|id| id.contains(':'))
}

pub(super) fn room(id: &str) -> Option<&str> {
    with('!', id)
}

/// The server that a user belongs to.
pub(super) fn server(user: &str) -> &str {
    user.split_once(':').map_or("", |(_, server)| server)
}

/// The name in front of the server: what is shown of somebody without a name.
pub(super) fn local_part(user: &str) -> &str {
    let name = user.split_once(':').map_or(user, |(name, _)| name);
    name.strip_prefix('@').filter(|name| !name.is_empty()).unwrap_or(user)
}

/// As one part of a path.
pub(super) fn part(id: &str) -> String {
    let mut part = String::with_capacity(id.len() + 8);
    push_part(&mut part, id);
    part
}

/// Adds it to an address as one part of a path.
pub(super) fn push_part(part: &mut String, id: &str) {
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') {
            part.push(char::from(byte));
        } else {
            let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap_or('0');
            part.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_sign_and_fit() {
        assert_eq!(event("$abc"), Some("$abc"));
        assert_eq!(event(&format!("${}", "a".repeat(255))), None);
        for wrong in ["", "$", "abc", "!abc", "$a b", "$a\nb"] {
            assert_eq!(event(wrong), None, "{wrong:?}");
        }
        assert_eq!(user("@ann"), None, "no server");
        assert_eq!(room("!without-a-server"), Some("!without-a-server"), "room version 12");
    }

    #[test]
    fn an_id_in_a_path_stays_one_part() {
        assert_eq!(part("!a/../b:c?d#e"), "%21a%2f%2e%2e%2fb%3ac%3fd%23e");
    }

    #[test]
    fn somebody_without_a_name_is_called_by_the_first_half_of_the_id() {
        assert_eq!((local_part("@ann:here.org"), server("@ann:here.org")), ("ann", "here.org"));
        assert_eq!(local_part("@:here.org"), "@:here.org");
    }
}
