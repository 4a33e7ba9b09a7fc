//! The sample channel's pages, as they are: a change of how they look is seen here.

use system_tests::{Rig, sample_archive};

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_the_sample_channel_look_as_they_did() {
    let rig = Rig::start().await;
    let channel = rig.import(sample_archive(|_| true)).await;
    rig.sync(&channel).await;
    let structure = rig.get(&format!("/api/wiki/structure?channel_id={channel}")).await.body;
    let mut slugs = Vec::new();
    for page in structure["pages"].as_array().unwrap() {
        slugs.push(page["slug"].as_str().unwrap().to_owned());
        for child in page["children"].as_array().unwrap() {
            slugs.push(child["slug"].as_str().unwrap().to_owned());
        }
    }
    assert!(slugs.len() >= 9, "{slugs:?}");
    for slug in slugs {
        let page = rig.get(&format!("/api/wiki/pages/{slug}?channel_id={channel}")).await.body;
        insta::assert_snapshot!(slug.clone(), page["content"].as_str().unwrap());
    }
}
