//! Where a scenario runs: the same test, in one process or in many.

/// What a scenario runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Every role in this process, on SQLite and memory.
    Embedded,
    /// A process a role, on PostgreSQL, RabbitMQ and Redis.
    Separate,
}

/// Makes two tests of each scenario, a function of the [`Place`] where it is to run.
#[macro_export]
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        mod embedded {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name($crate::Place::Embedded).await;
                }
            )*
        }

        mod separate {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name($crate::Place::Separate).await;
                }
            )*
        }
    };
}
