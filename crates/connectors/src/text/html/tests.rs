use proptest::prelude::*;

use super::*;
use crate::text::ranges_hold;

fn read(source: &str) -> Text {
    render(source, |tag| match tag.attribute("id") {
        Some(id) if tag.is("at") => Element::Mention { id, name: None },
        _ if tag.is("mx-reply") => Element::Hidden,
        _ => Element::Plain,
    })
}

#[test]
fn blocks_are_lines_and_white_space_is_one_space() {
    assert_eq!(read("<p>one\n  two</p><p>three<br>four</p>").text, "one two\nthree\nfour");
    assert_eq!(read("<div><div>a</div></div><div>b</div>").text, "a\nb");
    assert_eq!(read("<ul><li>a</li><li><b>b</b> c</li></ul>").text, "- a\n- b c");
    assert_eq!(read("a<b>b</b> <i>c</i>&nbsp;d").text, "ab c d");
    assert_eq!(read("<pre>a\n  b</pre>c").text, "a\n  b\nc");
}

#[test]
fn links_keep_their_target_and_people_their_id() {
    let text = read(
        "see <a title='x' href=\"https://a.example/?x=1&amp;y=2\">the page</a>, <at id=\"0\">Ann Smith</at>!",
    );
    assert_eq!(text.text, "see the page, @Ann Smith!");
    assert_eq!(text.links[0].url, "https://a.example/?x=1&y=2");
    assert_eq!((text.links[0].start, text.links[0].end), (4, 12));
    assert_eq!((text.mentions[0].start, text.mentions[0].end), (14, 24));
    assert_eq!(read("<a href=javascript:alert(1)>x</a>").links.len(), 0);
}

#[test]
fn what_is_hidden_is_left_out_with_all_that_is_in_it() {
    assert_eq!(read("<mx-reply>said <b>before</b></mx-reply>now").text, "now");
    assert_eq!(read("<script>alert(1)</script><style>p{}</style>a<!-- b -->c").text, "ac");
}

#[test]
fn entities_are_decoded_once() {
    assert_eq!(
        read("a &lt;b&gt; &amp;lt; &#233;&#xE9; &unknown; & &#xD800;").text,
        "a <b> &lt; éé &unknown; & &#xD800;"
    );
}

#[test]
fn pictures_are_their_description() {
    assert_eq!(
        read("hi <emoji id=\"smile\" alt=\"🙂\"></emoji> <img alt=\"a cat\" src=\"x\">").text,
        "hi 🙂 a cat"
    );
}

#[test]
fn what_is_no_html_stays() {
    assert_eq!(read("1 < 2 and <unfinished").text, "1 < 2 and <unfinished");
    assert_eq!(read("</p></a></at>x<a href='https://a.example'>y").links.len(), 1);
}

#[test]
fn hostile_html_ends() {
    for piece in ["<", "<a href=x>", "<at id=1>", "&", "<p>", "<!--", "</a>", "<a =\"", "<a x "] {
        assert!(read(&piece.repeat(100_000)).text.len() <= MAX_TEXT);
    }
}

proptest! {
    #[test]
    fn every_range_is_the_text_it_stands_for(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("<at id=\"1\">é</at>".to_owned()), Just("<a href='https://x.example'>".to_owned()),
                Just("</a>".to_owned()), Just("<p>".to_owned()), Just("<at id='2'>".to_owned()),
                Just("</at>".to_owned()), Just("<mx-reply>".to_owned()), Just("</mx-reply>".to_owned()),
                Just("<pre>".to_owned()), Just("&eacute;&#233;".to_owned()), Just(" ".to_owned()),
                Just("<br/>".to_owned()), "\\PC{0,6}",
            ],
            0..24,
        )
    ) {
        ranges_hold(&read(&pieces.concat()))?;
    }

    #[test]
    fn words_are_not_changed(source in "[a-zé]{1,8}( [a-zé]{1,8}){0,8}") {
        prop_assert_eq!(read(&source).text, source);
    }
}
