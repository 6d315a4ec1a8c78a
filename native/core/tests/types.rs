//! The TypeScript types of everything that crosses the addon are generated from the Rust types and committed;
//! this test fails when the two differ. `UPDATE_TYPES=1 cargo test -p aggregator-core --test types` writes them.

use std::fmt::Write;

use aggregator_core::backup::diff::{BackupDiff, Differences};
use aggregator_core::command::{
    Command, Counts, KeysAction, ListedKey, ListedProxy, ListedResult, NamedProxy, PlannedMove, Refusal,
    RefusalCode, Reloaded, Reply,
};
use aggregator_core::events::{Event, EventType, Level};
use aggregator_core::ids::{KeyId, ProxyId};
use aggregator_core::keys::circuit::Circuit;
use aggregator_core::requests::filter::{OutcomeFilter, RequestFilter};
use aggregator_core::requests::overview::{MinuteView, OverviewView};
use aggregator_core::requests::{AttemptView, DialectView, RequestView, TokensView};
use aggregator_core::settings::{
    FailurePolicy, Http2, KeySelection, LoadBalancingStrategy, LocalAuth, MonitoringSettings, ProxySettings,
    RequestLogSettings, RotatingSettings, ServerSettings, Settings, TlsFiles, UpstreamSettings,
};
use aggregator_core::tested::{TestFault, TestStage, TestStageName, Tested};
use aggregator_core::vault::legacy::LegacySettings;
use aggregator_core::vault::secrets::SecretWrite;
use aggregator_core::views::{
    BalanceView, EndpointView, FiguresView, HeldView, KeyStatus, KeyView, MinutesView, ProxyStatusView,
    ProxyView, RotatingMode, RotatingView, Snapshot,
};
use aggregator_core::wire::{CoreMessage, OpenOptions, OpenReport, WindowRole};
use ts_rs::{Config, TS};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../addon/types.gen.ts");
const HEAD: &str = "// Generated from the core's types by `cargo test -p aggregator-core --test types`; do not edit.\n\
                    // Regenerate with UPDATE_TYPES=1. Everything here crosses the addon as JSON text.\n";

fn declare<T: TS>(text: &mut String) {
    let docs = T::docs().unwrap_or_default();
    let _ = write!(text, "\n{docs}export {}\n", T::decl(&Config::default()));
}

fn generate() -> String {
    let mut text = HEAD.to_owned();
    declare::<KeyId>(&mut text);
    declare::<ProxyId>(&mut text);
    declare::<Command>(&mut text);
    declare::<KeysAction>(&mut text);
    declare::<RequestFilter>(&mut text);
    declare::<OutcomeFilter>(&mut text);
    declare::<Reply>(&mut text);
    declare::<Reloaded>(&mut text);
    declare::<Counts>(&mut text);
    declare::<PlannedMove>(&mut text);
    declare::<NamedProxy>(&mut text);
    declare::<Tested>(&mut text);
    declare::<TestStage>(&mut text);
    declare::<TestStageName>(&mut text);
    declare::<TestFault>(&mut text);
    declare::<BackupDiff>(&mut text);
    declare::<Differences>(&mut text);
    declare::<ListedProxy>(&mut text);
    declare::<ListedKey>(&mut text);
    declare::<ListedResult>(&mut text);
    declare::<Refusal>(&mut text);
    declare::<RefusalCode>(&mut text);
    declare::<EndpointView>(&mut text);
    declare::<KeyStatus>(&mut text);
    declare::<Circuit>(&mut text);
    declare::<MinutesView>(&mut text);
    declare::<FiguresView>(&mut text);
    declare::<BalanceView>(&mut text);
    declare::<HeldView>(&mut text);
    declare::<KeyView>(&mut text);
    declare::<ProxyStatusView>(&mut text);
    declare::<ProxyView>(&mut text);
    declare::<RotatingMode>(&mut text);
    declare::<RotatingView>(&mut text);
    declare::<AttemptView>(&mut text);
    declare::<DialectView>(&mut text);
    declare::<TokensView>(&mut text);
    declare::<RequestView>(&mut text);
    declare::<MinuteView>(&mut text);
    declare::<OverviewView>(&mut text);
    declare::<Snapshot>(&mut text);
    declare::<Level>(&mut text);
    declare::<EventType>(&mut text);
    declare::<Event>(&mut text);
    declare::<SecretWrite>(&mut text);
    declare::<CoreMessage>(&mut text);
    declare::<LocalAuth>(&mut text);
    declare::<Http2>(&mut text);
    declare::<KeySelection>(&mut text);
    declare::<LoadBalancingStrategy>(&mut text);
    declare::<TlsFiles>(&mut text);
    declare::<ServerSettings>(&mut text);
    declare::<UpstreamSettings>(&mut text);
    declare::<FailurePolicy>(&mut text);
    declare::<ProxySettings>(&mut text);
    declare::<RotatingSettings>(&mut text);
    declare::<MonitoringSettings>(&mut text);
    declare::<RequestLogSettings>(&mut text);
    declare::<Settings>(&mut text);
    declare::<OpenOptions>(&mut text);
    declare::<WindowRole>(&mut text);
    declare::<LegacySettings>(&mut text);
    declare::<OpenReport>(&mut text);
    text
}

#[test]
fn the_committed_types_are_those_of_the_core() {
    let generated = generate();
    if std::env::var_os("UPDATE_TYPES").is_some() {
        std::fs::write(FILE, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(FILE).unwrap();
    assert!(committed == generated, "native/addon/types.gen.ts is stale: run this test with UPDATE_TYPES=1");
}
