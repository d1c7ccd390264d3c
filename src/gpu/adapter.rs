//! What adapters there are, and which one to open.

use std::fmt::Write as _;

use wgpu::DeviceType;

use super::device::Device;
use super::error::GpuError;

/// An adapter as the `devices` command lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterInfo {
    /// Position in the list; what [`Choice::Index`] names.
    pub index: usize,
    /// Name.
    pub name: String,
    /// `discrete GPU`, `integrated GPU`, `virtual GPU`, `software` or `other`.
    pub kind: &'static str,
    /// Vulkan, Metal, Dx12.
    pub backend: String,
    /// Number of its vendor, as buses have it; 0 where none is told.
    pub vendor: u32,
    /// Number of the device, as its vendor has it; 0 where none is told.
    pub model: u32,
    /// Driver.
    pub driver: String,
    /// Version of the driver.
    pub driver_info: String,
    /// Computes on the processor.
    pub is_software: bool,
    /// Largest buffer that a shader can see, bytes.
    pub max_binding: u64,
    /// Largest buffer, bytes.
    pub max_buffer: u64,
    /// Workgroup memory, bytes.
    pub workgroup_memory: u32,
    /// Invocations of a workgroup.
    pub invocations: u32,
}

/// Which adapter to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The first discrete GPU, else the first integrated one, else any other that is not software.
    Hardware,
    /// By position in the list of [`adapters`].
    Index(usize),
    /// By a part of its name, in any case.
    Name(String),
}

impl Choice {
    fn describe(&self) -> String {
        match self {
            Self::Hardware => "hardware GPU".into(),
            Self::Index(i) => format!("adapter with index {i}"),
            Self::Name(name) => format!("adapter whose name contains '{name}'"),
        }
    }
}

/// All adapters of all backends, in a fixed order.
#[must_use]
pub fn adapters() -> Vec<AdapterInfo> {
    all().iter().enumerate().map(|(i, a)| describe(i, a)).collect()
}

/// Opens an adapter. Software adapters only by index or name.
///
/// # Errors
/// If there is none like that ([`GpuError::NoAdapter`] lists what there is), or its driver refuses.
pub fn open(choice: &Choice) -> Result<Device, GpuError> {
    let all = all();
    let list: Vec<AdapterInfo> = all.iter().enumerate().map(|(i, a)| describe(i, a)).collect();
    let at = choose(choice, &list).ok_or_else(|| none(choice, &list))?;
    Device::open(&all[at], list[at].clone())
}

/// The position in the list that a choice names.
fn choose(choice: &Choice, list: &[AdapterInfo]) -> Option<usize> {
    let first = |kind: &str| list.iter().position(|a| a.kind == kind);
    match choice {
        Choice::Hardware => first("discrete GPU")
            .or_else(|| first("integrated GPU"))
            .or_else(|| list.iter().position(|a| !a.is_software)),
        Choice::Index(i) => (*i < list.len()).then_some(*i),
        Choice::Name(name) => {
            let name = name.to_lowercase();
            list.iter().position(|a| a.name.to_lowercase().contains(&name))
        }
    }
}

fn none(choice: &Choice, list: &[AdapterInfo]) -> GpuError {
    let mut found = String::new();
    for a in list {
        // Writing to a String cannot fail.
        let _ = writeln!(
            found,
            "  {}: {} ({}, {}, {} {})",
            a.index, a.name, a.kind, a.backend, a.driver, a.driver_info
        );
    }
    if list.is_empty() {
        found.push_str("  no adapter at all\n");
    }
    let advice = match choice {
        Choice::Hardware if list.iter().any(|a| a.is_software) => {
            "install the driver of your GPU (Vulkan on Linux), ask for the software adapter by its index or name, or use the CPU"
        }
        Choice::Hardware => "install the driver of your GPU (Vulkan on Linux), or use the CPU",
        Choice::Index(_) | Choice::Name(_) if list.is_empty() => {
            "install a driver: that of your GPU, or Mesa's software Vulkan (package mesa-vulkan-drivers on Debian and Ubuntu)"
        }
        Choice::Index(_) | Choice::Name(_) => "choose one of these by index or name",
    };
    GpuError::NoAdapter { wanted: choice.describe(), found: found.trim_end().into(), advice: advice.into() }
}

fn all() -> Vec<wgpu::Adapter> {
    let mut desc = wgpu::InstanceDescriptor::new_without_display_handle();
    desc.backends = wgpu::Backends::PRIMARY;
    // Validation layers slow every call down; they are for the debugger, not for a run.
    desc.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(desc);
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
}

fn describe(index: usize, adapter: &wgpu::Adapter) -> AdapterInfo {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    let kind = match info.device_type {
        DeviceType::DiscreteGpu => "discrete GPU",
        DeviceType::IntegratedGpu => "integrated GPU",
        DeviceType::VirtualGpu => "virtual GPU",
        DeviceType::Cpu => "software",
        DeviceType::Other => "other",
    };
    AdapterInfo {
        index,
        name: info.name,
        kind,
        backend: format!("{:?}", info.backend),
        vendor: info.vendor,
        model: info.device,
        driver: info.driver,
        driver_info: info.driver_info,
        is_software: info.device_type == DeviceType::Cpu,
        max_binding: limits.max_storage_buffer_binding_size,
        max_buffer: limits.max_buffer_size,
        workgroup_memory: limits.max_compute_workgroup_storage_size,
        invocations: limits.max_compute_invocations_per_workgroup,
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fake(index: usize, name: &str, kind: &'static str) -> AdapterInfo {
        AdapterInfo {
            index,
            name: name.into(),
            kind,
            backend: "Vulkan".into(),
            vendor: 1,
            model: 1,
            driver: "driver".into(),
            driver_info: "1".into(),
            is_software: kind == "software",
            max_binding: 1,
            max_buffer: 1,
            workgroup_memory: 1,
            invocations: 1,
        }
    }

    #[test]
    fn hardware_prefers_discrete_and_never_takes_software() {
        let list = [
            fake(0, "soft", "software"),
            fake(1, "inner", "integrated GPU"),
            fake(2, "card", "discrete GPU"),
        ];
        assert_eq!(choose(&Choice::Hardware, &list), Some(2));
        assert_eq!(choose(&Choice::Hardware, &list[..2]), Some(1));
        assert_eq!(choose(&Choice::Hardware, &list[..1]), None);
    }

    #[test]
    fn names_match_in_part_and_in_any_case() {
        let list = [fake(0, "llvmpipe (LLVM 15)", "software"), fake(1, "GeForce", "discrete GPU")];
        assert_eq!(choose(&Choice::Name("LLVMpipe".into()), &list), Some(0));
        assert_eq!(choose(&Choice::Name("force".into()), &list), Some(1));
        assert_eq!(choose(&Choice::Index(2), &list), None);
    }

    #[test]
    fn an_impossible_choice_lists_what_there_is() {
        let text = none(&Choice::Hardware, &[fake(0, "soft", "software")]).to_string();
        assert!(text.contains("0: soft") && text.contains("install the driver"), "{text}");
        let text = none(&Choice::Name("x".into()), &[]).to_string();
        assert!(text.contains("no adapter at all") && text.contains("mesa-vulkan-drivers"), "{text}");
    }
}
