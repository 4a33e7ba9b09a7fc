//! API keys and copies.

use domain::KeyId;

use crate::Store;

/// A hash finds its key, and a revoked one none.
pub async fn a_key_is_found_by_its_hash_until_it_is_revoked(store: &dyn Store) {
    let id = KeyId::random();
    let key = store.add_key(&id, "for a test", "abc").await.unwrap();
    assert_eq!(store.key_by_hash("abc").await.unwrap().as_ref(), Some(&key));
    assert!(store.key_by_hash("abd").await.unwrap().is_none());
    assert!(store.revoke_key(&id).await.unwrap());
    assert!(!store.revoke_key(&id).await.unwrap());
    assert!(store.key_by_hash("abc").await.unwrap().is_none());
    assert_eq!(store.keys().await.unwrap().len(), 1);
}
