//! Every shader without a driver: parsed, validated, translated to the three languages; parameter structs against the shader's own;
//! the three homes of a kernel against each other.

#![allow(clippy::expect_used, clippy::panic)] // A test fails by panicking.

use std::collections::BTreeSet;
use std::path::Path;

use lagrange_gpu::gpu::shaders::{Variant, variants};
use lagrange_gpu::kernels::{FACTS, NAMES};
use naga::back::{hlsl, msl, spv};
use naga::valid::{Capabilities, ValidationFlags, Validator};

fn parse(variant: &Variant) -> (naga::Module, naga::valid::ModuleInfo) {
    let source = variant.source();
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|e| panic!("{variant:?}: {}", e.emit_to_string(&source)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{variant:?}: {}", e.emit_to_string(&source)));
    (module, info)
}

#[test]
fn every_variant_is_valid_and_translates() {
    let all = variants();
    assert!(all.len() > NAMES.len(), "products have several variants");
    for variant in all {
        let (module, info) = parse(&variant);
        let constants = variant.constants().into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let entry = Some((naga::ShaderStage::Compute, "main"));
        let (module, info) =
            naga::back::pipeline_constants::process_overrides(&module, &info, entry, &constants)
                .unwrap_or_else(|e| panic!("{variant:?}: {e:?}"));
        let words = spv::write_vec(&module, &info, &spv::Options::default(), None)
            .unwrap_or_else(|e| panic!("{variant:?}: SPIR-V: {e}"));
        assert!(!words.is_empty());
        let options = msl::Options { fake_missing_bindings: true, ..Default::default() };
        msl::write_string(&module, &info, &options, &msl::PipelineOptions::default())
            .unwrap_or_else(|e| panic!("{variant:?}: MSL: {e}"));
        let mut text = String::new();
        let (options, pipeline) = (hlsl::Options::default(), hlsl::PipelineOptions::default());
        hlsl::Writer::new(&mut text, &options, &pipeline)
            .write(&module, &info, None)
            .unwrap_or_else(|e| panic!("{variant:?}: HLSL: {e}"));
    }
}

/// Members of a struct as naga sees them: name, offset, type; and its size.
fn layout(module: &naga::Module, name: &str) -> (Vec<(String, usize, &'static str)>, usize) {
    let (_, ty) = module.types.iter().find(|(_, t)| t.name.as_deref() == Some(name)).expect(name);
    let naga::TypeInner::Struct { members, span } = &ty.inner else { panic!("{name} is no struct") };
    let members = members
        .iter()
        .map(|m| {
            let ty = match module.types[m.ty].inner {
                naga::TypeInner::Scalar(naga::Scalar::U32) => "u32",
                naga::TypeInner::Scalar(naga::Scalar::F32) => "f32",
                _ => panic!("{name}: only u32 and f32"),
            };
            (m.name.clone().unwrap_or_default(), m.offset as usize, ty)
        })
        .collect();
    (members, *span as usize)
}

#[test]
fn parameter_structs_have_the_layout_of_the_shaders() {
    assert_eq!(FACTS.iter().map(|f| f.name).collect::<Vec<_>>(), NAMES);
    for facts in FACTS {
        let variant = variants().into_iter().find(|v| v.kernel == facts.name).expect(facts.name);
        let (module, _) = parse(&variant);
        let (members, size) = layout(&module, "Params");
        let fields: Vec<_> = facts.fields.iter().map(|f| (f.name.to_owned(), f.offset, f.ty)).collect();
        assert_eq!(fields, members, "{}: fields", facts.name);
        assert_eq!(facts.size, size, "{}: size", facts.name);
        assert!(size <= 256, "{}: a slot holds 256 bytes", facts.name);
        let own = module
            .global_variables
            .iter()
            .filter(|(_, g)| g.binding.as_ref().is_some_and(|b| b.binding > 2))
            .count();
        assert_eq!(facts.bindings.len(), own, "{}: bindings", facts.name);
        // The default limit of storage buffers in a stage.
        assert!(own < 8, "{}: storage buffers", facts.name);
    }
}

fn files(folder: &str, extension: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    std::fs::read_dir(folder)
        .expect("a folder")
        .filter_map(|e| {
            let path = e.expect("an entry").path();
            let stem = path.file_stem()?.to_str()?.to_owned();
            (path.extension()?.to_str()? == extension).then_some(stem)
        })
        .collect()
}

#[test]
fn every_kernel_has_its_three_files() {
    let names: BTreeSet<String> = NAMES.iter().map(|&n| n.to_owned()).collect();
    let without = |mut set: BTreeSet<String>, helpers: &[&str]| {
        for helper in helpers {
            assert!(set.remove(*helper), "{helper} is listed as a helper but is not there");
        }
        set
    };
    assert_eq!(files("shaders", "wgsl"), names);
    assert_eq!(without(files("src/kernels", "rs"), &["mod", "host"]), names);
    let helpers = [
        "mod",
        "dense",
        "exponential",
        "factored",
        "group",
        "half",
        "lane",
        "onset",
        "outer",
        "panel",
        "product",
        "real",
        "rows",
        "split",
        "status",
        "store",
        "sums",
        "sweep",
        "tasks",
        "team",
        "tile",
        "transpose",
        "turned",
        "vector",
        "watch",
        "wide",
    ];
    // Whole steps take several files on the processor.
    let calls = without(names, &["small_step", "layered_step", "layered_learn", "layered_carry"]);
    for whole in ["small", "layered"] {
        let file = format!("src/cpu/{whole}/mod.rs");
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(file).is_file());
    }
    assert_eq!(without(files("src/cpu", "rs"), &helpers), calls);
}

#[test]
fn no_shader_relies_on_what_compilers_may_drop() {
    for variant in variants() {
        let source = variant.source();
        for word in ["atomicAdd", "isNan", "isInf", "tanh(", "enable "] {
            let code = source.lines().filter(|l| !l.trim_start().starts_with("//"));
            assert!(!code.into_iter().any(|l| l.contains(word)), "{}: {word}", variant.kernel);
        }
    }
}
