//! The proxy settings that earlier versions kept among the secrets. Today's lie in the host's settings, so these are only
//! hints: the host takes each one over that the user has not set there. What is out of today's bounds is left out.

use serde::Serialize;
use serde_json::Value;
use ts_rs::TS;

use crate::settings::{LoadBalancingStrategy, ProxySettings, Settings};
use crate::vault::secrets::shown;

/// Each under the name it has in today's settings, below `proxy`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LegacySettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub auto_assignment: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub load_balancing_strategy: Option<LoadBalancingStrategy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub health_check_interval_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub max_errors_before_disable: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rebalance_threshold: Option<u32>,
}

impl LegacySettings {
    pub(super) fn read(text: &str, warnings: &mut Vec<String>) -> Self {
        let Ok(Value::Object(stored)) = serde_json::from_str(text) else {
            let words =
                "The proxy settings of the earlier version are damaged; set them anew in the settings.";
            warnings.push(words.to_owned());
            return Self::default();
        };
        let mut unusable = |name: &str| {
            let words = format!(
                "The earlier version's setting {name} is not usable; today's setting is used instead."
            );
            warnings.push(words);
        };
        let mut read = Self::default();
        for (name, value) in &stored {
            let taken = match name.as_str() {
                "autoAssignmentEnabled" => take(&mut read.auto_assignment, value.as_bool()),
                "loadBalancingStrategy" => {
                    take(&mut read.load_balancing_strategy, serde_json::from_value(value.clone()).ok())
                }
                "healthCheckInterval" => {
                    take(&mut read.health_check_interval_seconds, value.as_u64().map(|ms| ms / 1000))
                }
                "maxErrorsBeforeDisable" => take(&mut read.max_errors_before_disable, small(value)),
                "rebalanceThreshold" => take(&mut read.rebalance_threshold, small(value)),
                _ => true,
            };
            if !taken {
                unusable(&shown(name));
            }
        }
        read.drop_out_of_bounds(&mut unusable);
        read
    }

    /// The bounds are those of the settings themselves.
    fn drop_out_of_bounds(&mut self, unusable: &mut impl FnMut(&str)) {
        let mut settings = Settings::default();
        self.lay_under(&mut settings.proxy);
        for problem in settings.problems() {
            unusable(&problem.path);
            match problem.path.as_str() {
                "proxy.healthCheckIntervalSeconds" => self.health_check_interval_seconds = None,
                "proxy.maxErrorsBeforeDisable" => self.max_errors_before_disable = None,
                "proxy.rebalanceThreshold" => self.rebalance_threshold = None,
                _ => {}
            }
        }
    }

    /// Whatever still has its default takes the earlier value.
    pub fn lay_under(&self, settings: &mut ProxySettings) {
        fn lay<T: PartialEq + Clone>(hint: Option<&T>, default: &T, value: &mut T) {
            if let Some(hint) = hint.filter(|_| value == default) {
                value.clone_from(hint);
            }
        }
        let default = ProxySettings::default();
        lay(self.auto_assignment.as_ref(), &default.auto_assignment, &mut settings.auto_assignment);
        lay(
            self.load_balancing_strategy.as_ref(),
            &default.load_balancing_strategy,
            &mut settings.load_balancing_strategy,
        );
        lay(
            self.health_check_interval_seconds.as_ref(),
            &default.health_check_interval_seconds,
            &mut settings.health_check_interval_seconds,
        );
        lay(
            self.max_errors_before_disable.as_ref(),
            &default.max_errors_before_disable,
            &mut settings.max_errors_before_disable,
        );
        lay(
            self.rebalance_threshold.as_ref(),
            &default.rebalance_threshold,
            &mut settings.rebalance_threshold,
        );
    }
}

fn take<T>(into: &mut Option<T>, value: Option<T>) -> bool {
    *into = value;
    into.is_some()
}

fn small(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| number.try_into().ok())
}
