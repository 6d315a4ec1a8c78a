//! What attempts leave in the figures: on their key, on their way out, and nowhere else.

use super::*;

fn attempts(pools: &Pools) -> [u64; 4] {
    let key = |id: &str| pools.keys.get(&id.into()).unwrap().figures.outcomes.ended();
    let proxy = |id: &str| pools.proxies.get(&id.into()).unwrap().figures.outcomes.ended();
    [key("k1"), key("k2"), proxy("p1"), proxy("p2")]
}

#[test]
fn an_attempt_counts_for_its_key_and_its_proxy_when_it_ends() {
    let mut pools = pools(2, 2);
    let mut pick = lease(&mut pools, 60_000).unwrap();
    pick.answered_after = Some(Duration::from_millis(40));
    assert_eq!(attempts(&pools), [0; 4]);
    settle(&mut pools, &pick, &refused(429, Some(30)), 60_000);
    assert_eq!(attempts(&pools), [1, 0, 1, 0]);
    let key = &pools.keys.get(&"k1".into()).unwrap().figures;
    assert_eq!((key.outcomes.quota, key.latency.quantile_ms(0.5)), (1, Some(50)));
    assert_eq!(key.error_rate(61_000), Some(1.0));
}

#[test]
fn a_client_that_left_fails_nobody() {
    let mut pools = pools(1, 1);
    let pick = lease(&mut pools, 60_000).unwrap();
    pools.release(&pick, 60_000);
    let proxy = &pools.proxies.get(&"p1".into()).unwrap().figures;
    assert_eq!((proxy.outcomes.caller, proxy.error_rate(60_000)), (1, Some(0.0)));
}

#[test]
fn another_text_or_url_begins_anew_and_takes_no_late_figures() {
    let mut pools = pools(1, 1);
    let (first, late) = (lease(&mut pools, 0).unwrap(), lease(&mut pools, 0).unwrap());
    settle(&mut pools, &first, &refused(503, None), 0);
    let patch = crate::keys::KeyPatch { secret: Some(Secret::new("test-key-another")), ..Default::default() };
    pools.keys.modify(&"k1".into(), patch).unwrap();
    let url = crate::proxies::url::ProxyUrl::parse("http://127.0.0.1:9").unwrap();
    pools.proxies.update(&"p1".into(), None, Some(Arc::new(url)), None).unwrap();
    settle(&mut pools, &late, &refused(503, None), 0);
    let (key, proxy) = (pools.keys.get(&"k1".into()).unwrap(), pools.proxies.get(&"p1".into()).unwrap());
    assert_eq!((key.figures.outcomes.ended(), proxy.figures.outcomes.ended()), (0, 0));
}

#[test]
fn moves_and_spread_tell_how_even_the_proxies_are() {
    let (settings, mut pools) = (Settings::default(), pools(6, 3));
    let before = pools.balance(0);
    assert_eq!((before.spread.keys, before.moves), (0, 0), "a first place is no move");
    pools.proxies.add(entered_proxy(4)).unwrap();
    pools.settle_assignments(&settings, 1_000);
    let after = pools.balance(1_000);
    assert_eq!((after.spread.keys, after.moves, after.moves_last_hour), (1, 1, 1));
    let event = pools.rebalanced_event(before, 1_000).unwrap();
    assert!(event.message.starts_with("1 key changed the proxy."), "{}", event.message);
    assert_eq!(pools.rebalanced_event(after, 2_000), None);
    assert_eq!(pools.balance(2 * 3_600_000).moves_last_hour, 0);
}

#[test]
fn memory_held_grows_with_what_is_held() {
    let (few, many) = (pools(1, 1).held(), pools(100, 10).held());
    assert!(few.keys > 0 && many.keys > 50 * few.keys && many.proxies > 5 * few.proxies);
    assert!(many.assignments > few.assignments);
}
