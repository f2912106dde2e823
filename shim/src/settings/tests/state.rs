use super::*;

fn with_state(url: &str) -> Result<(Config, String), String> {
    let mut environment = ENVIRONMENT.to_vec();
    environment.extend([
        ("SHIM_STATE_URL", url),
        ("SHIM_STATE_KEY_FILE", "state.key"),
    ]);
    let config = load(None, &environment, Flags::default())?;
    Ok((config, effective("", &environment, Flags::default())))
}

#[test]
fn redis_password_is_not_printed() {
    for url in [
        "redis://shim:hush@h:1/0",
        "rediss://:hush@h",
        "redis+sentinel://shim:hush@h1:1,h2/main/0",
        "valkey+cluster://shim:hush@h1,h2",
    ] {
        let (config, shown) = with_state(url).unwrap();
        assert!(shown.contains("(hidden)@h"), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
        let debugged = format!("{:?}", config.state);
        assert!(!debugged.contains("hush"), "{debugged}");
    }
}

#[test]
fn unsupported_state_urls_are_reported_without_password() {
    for url in [
        "redis://shim:hush@h1,h2",
        "redis+sentinel://shim:hush@h1",
        "redis+cluster://shim:hush@h1/7",
        "redis+other://shim:hush@h1",
        "mysql://shim:hush@h1",
        "redis://shim:hush/hush@h1",
    ] {
        let told = with_state(url).map(|(_, shown)| shown).unwrap_err();
        assert!(told.contains("SHIM_STATE_URL"), "{told}");
        assert!(told.contains("redis+cluster://H1,H2"), "{told}");
        assert!(!told.contains("hush"), "{told}");
    }
}

#[test]
fn redis_needs_a_key_and_a_cluster_waits_for_no_replicas() {
    let mut environment = ENVIRONMENT.to_vec();
    environment.extend([
        ("SHIM_STATE_URL", "redis+cluster://h"),
        ("SHIM_STATE_WAIT_REPLICAS", "1"),
    ]);
    let told = load(None, &environment, Flags::default()).unwrap_err();
    assert!(told.contains("state.key_file is missing"), "{told}");
    assert!(
        told.contains("state.wait_replicas is not for clusters"),
        "{told}"
    );
}
