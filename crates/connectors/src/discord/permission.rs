//! Whether the bot may read a channel's history. Without that permission Discord shows an empty channel.

use super::raw::{RawChannel, RawMember, RawOverwrite, RawRole};

const ADMINISTRATOR: u64 = 1 << 3;
const VIEW_CHANNEL: u64 = 1 << 10;
const READ_MESSAGE_HISTORY: u64 = 1 << 16;

fn bits(number: &str) -> u64 {
    number.parse().unwrap_or_default()
}

/// As Discord computes it: roles of the server, then what the channel takes and gives, from everybody's role
/// over the bot's roles to the bot itself.
pub(super) fn may_read(
    guild: &str,
    bot: &str,
    roles: &[RawRole],
    member: &RawMember,
    channel: &RawChannel,
) -> bool {
    let is_ours = |id: &str| id == guild || member.roles.iter().any(|role| role == id);
    let of_roles = roles.iter().filter(|role| is_ours(&role.id));
    let granted = of_roles.fold(0, |granted, role| granted | bits(&role.permissions));
    if granted & ADMINISTRATOR != 0 {
        return true;
    }
    let overwrites = &channel.permission_overwrites;
    let apply = |granted: u64, chosen: &dyn Fn(&RawOverwrite) -> bool| {
        let chosen = || overwrites.iter().filter(|overwrite| chosen(overwrite));
        let denied = chosen().fold(0, |all, overwrite| all | bits(&overwrite.deny));
        let allowed = chosen().fold(0, |all, overwrite| all | bits(&overwrite.allow));
        (granted & !denied) | allowed
    };
    let granted = apply(granted, &|overwrite| overwrite.id == guild);
    let granted = apply(granted, &|overwrite| overwrite.id != guild && is_ours(&overwrite.id));
    let granted = apply(granted, &|overwrite| overwrite.id == bot);
    let needed = VIEW_CHANNEL | READ_MESSAGE_HISTORY;
    granted & needed == needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_has_the_last_word_and_the_bot_itself_the_very_last() {
        let all = (VIEW_CHANNEL | READ_MESSAGE_HISTORY).to_string();
        let role = |id: &str, permissions: &str| RawRole {
            id: id.into(),
            permissions: permissions.into(),
        };
        let roles = [role("1", &all), role("2", "0"), role("3", "8")];
        let member =
            |roles: &[&str]| RawMember { roles: roles.iter().map(|r| (*r).into()).collect() };
        let overwrite = |id: &str, allow: u64, deny: u64| RawOverwrite {
            id: id.into(),
            allow: allow.to_string(),
            deny: deny.to_string(),
        };
        let may = |roles_of_bot: &[&str], overwrites: Vec<RawOverwrite>| {
            let channel = RawChannel { permission_overwrites: overwrites, ..RawChannel::default() };
            may_read("1", "9", &roles, &member(roles_of_bot), &channel)
        };
        let history = READ_MESSAGE_HISTORY;
        assert!(may(&[], vec![]));
        assert!(!may(&[], vec![overwrite("1", 0, history)]));
        assert!(may(&["2"], vec![overwrite("1", 0, history), overwrite("2", history, 0)]));
        assert!(!may(&["2"], vec![overwrite("2", history, 0), overwrite("9", 0, history)]));
        assert!(may(&["3"], vec![overwrite("9", 0, history)]), "administrators may everything");
    }
}
