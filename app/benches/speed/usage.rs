//! What processes take from the machine while something is measured.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use crate::processes::{cpu_of_us, pss_mb};
use crate::product::{Product, World};

/// Often enough to see the peak of a load that lasts for seconds.
const GLANCE: Duration = Duration::from_millis(100);

/// CPU seconds so far, by name.
#[derive(Debug, Clone)]
pub struct Cpu(Vec<(&'static str, f64)>);

impl Cpu {
    /// Of the product, the servers, the mail server and this benchmark.
    pub fn of(world: &World, product: &Product) -> Self {
        let mut all: Vec<_> =
            product.processes().map(|process| (process.name(), process.cpu())).collect();
        all.push((world.sink.process().name(), world.sink.process().cpu()));
        all.push(("load generator", cpu_of_us()));
        if let Some(servers) = &world.servers {
            all.push(("postgres", servers.postgres.cpu()));
            all.push(("rabbitmq", servers.rabbitmq.cpu()));
        }
        Self(all)
    }

    /// What has been used since `earlier`, by name.
    pub fn since(&self, earlier: &Self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().zip(&earlier.0).map(|((name, now), (_, then))| (*name, now - then))
    }
}

/// Looks at the memory of a product again and again.
pub struct Memory {
    peak: Arc<Mutex<f64>>,
    _watching: AbortOnDropHandle<()>,
}

impl Memory {
    /// Begins to look.
    pub fn watch(product: &Product) -> Self {
        let ids: Vec<u32> = product.processes().map(crate::processes::Process::id).collect();
        let peak = Arc::new(Mutex::new(0.0));
        let seen = Arc::clone(&peak);
        let watching = tokio::spawn(async move {
            loop {
                let now = ids.iter().map(|id| pss_mb(*id)).sum::<f64>();
                {
                    let mut peak = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    *peak = f64::max(*peak, now);
                }
                tokio::time::sleep(GLANCE).await;
            }
        });
        Self { peak, _watching: AbortOnDropHandle::new(watching) }
    }

    /// The most that all its processes had at one moment, in MB.
    pub fn peak(&self) -> f64 {
        *self.peak.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
