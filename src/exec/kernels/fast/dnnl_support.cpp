#include "exec/kernels/fast/dnnl_support.h"

#include <cstring>

#include "core/check.h"
#include "exec/kernels/fast/reorder.h"
#include "exec/weight_store.h"

namespace cleave::exec::fast {
namespace {

using dnnl::memory;

memory::dims channels_last_strides(const Shape& shape) {
  memory::dims strides(shape.size(), 1);
  memory::dim step = shape[1];
  for (std::size_t i = shape.size(); i-- > 2;) {
    strides[i] = step;
    step *= shape[i];
  }
  strides[0] = step;
  return strides;
}

/// Everything that tells two blocked layouts apart, as text.
std::string layout_key(const memory::desc& desc) {
  const dnnl_memory_desc_t& d = desc.data;
  const dnnl_blocking_desc_t& blocks = d.format_desc.blocking;
  std::string key;
  const auto add = [&key](auto number) { key += ' ' + std::to_string(number); };
  add(static_cast<int>(d.data_type));
  add(d.offset0);
  for (int i = 0; i < d.ndims; ++i) {
    add(d.dims[i]);
    add(d.padded_dims[i]);
    add(blocks.strides[i]);
  }
  key += " blocks";
  for (int i = 0; i < blocks.inner_nblks; ++i) {
    add(blocks.inner_idxs[i]);
    add(blocks.inner_blks[i]);
  }
  key += " extra";
  for (const double number :
       {static_cast<double>(d.extra.flags), static_cast<double>(d.extra.compensation_mask),
        static_cast<double>(d.extra.scale_adjust), static_cast<double>(d.extra.asymm_compensation_mask)}) {
    add(number);
  }
  return key + ";";
}

}  // namespace

memory::data_type data_type_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return memory::data_type::f32;
    case DType::kInt32:
      return memory::data_type::s32;
    case DType::kInt8:
      return memory::data_type::s8;
    case DType::kUint8:
      return memory::data_type::u8;
    default:
      CLEAVE_CHECK(false, "lowerings ask only for the types above");
  }
}

memory::desc describe(const Shape& shape, Layout layout, DType dtype) {
  const memory::data_type type = data_type_of(dtype);
  if (shape.empty()) return {{1}, type, memory::dims{1}};
  if (layout == Layout::kChannelsLast && shape.size() >= 3) return {shape, type, channels_last_strides(shape)};
  return {shape, type, strides_of(shape, Layout::kPlain)};
}

std::shared_ptr<const memory> reordered_weight(DnnlState& state, const Tensor& value, const memory::desc& given,
                                               const memory::desc& wanted) {
  const WeightStore::Maker<memory> make = [&] {
    memory source(given, state.engine, const_cast<std::byte*>(value.raw().data()));
    auto target = std::make_shared<memory>(wanted, state.engine);
    dnnl::stream stream(state.engine);
    dnnl::reorder(source, *target).execute(stream, source, *target);
    stream.wait();
    return target;
  };
  if (wanted.data.format_kind != dnnl_blocked) return make();
  return shared_weights().find_or_make("dnnl" + layout_key(given) + layout_key(wanted) + content_key(value), make);
}

memory constant_memory(DnnlState& state, const Tensor& value) {
  memory result(describe(value.shape(), Layout::kPlain, value.dtype()), state.engine);
  if (value.bytes() > 0) std::memcpy(result.get_data_handle(), value.raw().data(), value.bytes());
  return result;
}

void append_activation(dnnl::post_ops& ops, const Activation& a, float factor) {
  using dnnl::algorithm;
  switch (a.function) {
    case Function::kRelu:
      return ops.append_eltwise(factor, algorithm::eltwise_relu, 0.0f, 0.0f);
    case Function::kLeakyRelu:
      return ops.append_eltwise(factor, algorithm::eltwise_relu, a.alpha, 0.0f);
    case Function::kClip:
      return ops.append_eltwise(factor, algorithm::eltwise_clip, a.alpha, a.beta);
    case Function::kSigmoid:
      return ops.append_eltwise(factor, algorithm::eltwise_logistic, 0.0f, 0.0f);
    case Function::kTanh:
      return ops.append_eltwise(factor, algorithm::eltwise_tanh, 0.0f, 0.0f);
    case Function::kElu:
      return ops.append_eltwise(factor, algorithm::eltwise_elu, a.alpha, 0.0f);
    case Function::kHardSwish:
      return ops.append_eltwise(factor, algorithm::eltwise_hardswish, 0.0f, 0.0f);
    case Function::kSilu:
      return ops.append_eltwise(factor, algorithm::eltwise_swish, 1.0f, 0.0f);
    case Function::kHardSigmoid:
      ops.append_eltwise(factor, algorithm::eltwise_linear, a.alpha, a.beta);
      return ops.append_eltwise(1.0f, algorithm::eltwise_clip, 0.0f, factor);
  }
  CLEAVE_CHECK(false, "every function has its case");
}

dnnl::primitive_attr attributes(const dnnl::post_ops& ops) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attr.set_post_ops(ops);
  return attr;
}

std::optional<dnnl::post_ops> post_ops_of(const std::vector<Follower>& followers) {
  dnnl::post_ops ops;
  for (const Follower& follower : followers) {
    switch (follower.kind) {
      case Follower::Kind::kActivation:
        append_activation(ops, follower.activation);
        break;
      case Follower::Kind::kSum:
        ops.append_sum(1.0f);
        break;
      case Follower::Kind::kBias:
        break;
      default:
        return std::nullopt;
    }
  }
  return ops;
}

void DnnlStep::bind(int argument, memory memory) {
  arguments_.push_back({argument, memory.get()});
  fixed_.push_back(std::move(memory));
}

void DnnlStep::bind(int argument, std::shared_ptr<const memory> weight) {
  arguments_.push_back({argument, weight->get()});
  weights_.push_back(std::move(weight));
}

void DnnlStep::bind(int argument, const DnnlState& state, const memory::desc& desc, SlotId slot) {
  moving_.push_back({memory(desc, state.engine, nullptr), slot});
  arguments_.push_back({argument, moving_.back().memory.get()});
}

void DnnlStep::bind_scratch(const DnnlState& state, const memory::desc& desc) {
  if (desc.get_size() > 0) bind(DNNL_ARG_SCRATCHPAD, state, desc, SlotId::kNone);
}

void DnnlStep::copy_first(SlotId from, SlotId to, std::int64_t bytes) {
  copy_from_ = from;
  copy_to_ = to;
  copy_bytes_ = static_cast<std::size_t>(bytes);
}

void DnnlStep::run(const RunContext& context) {
  if (copy_from_ != SlotId::kNone && context.at(copy_from_) != context.at(copy_to_)) {
    std::memcpy(context.at(copy_to_), context.at(copy_from_), copy_bytes_);
  }
  for (Moving& m : moving_) {
    m.memory.set_data_handle(m.slot == SlotId::kNone ? context.scratch : context.at(m.slot));
  }
  const auto count = static_cast<int>(arguments_.size());
  const dnnl_status_t status = dnnl_primitive_execute(primitive_.get(), stream_.get(), count, arguments_.data());
  CLEAVE_CHECK(status == dnnl_success, "a primitive that was created runs");
}

std::string DnnlStep::describe() const {
  const char* name = nullptr;
  const_dnnl_primitive_desc_t descriptor = primitive_.get_primitive_desc();
  const dnnl_status_t status = dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &name);
  CLEAVE_CHECK(status == dnnl_success, "every primitive knows its implementation");
  return name;
}

std::shared_ptr<DnnlState> make_dnnl_state() {
  static const auto state = std::make_shared<DnnlState>();  // memory belongs to an engine, and programs share memory
  return state;
}

std::unique_ptr<Step> make_reorder(DnnlState& state, const Slot& source, const Slot& target, SlotId from, SlotId to,
                                   std::int64_t& scratch_bytes) {
  if (source.shape.size() < 3 || source.shape.size() > 5) return nullptr;
  const memory::desc from_desc = describe(source.shape, source.layout, source.dtype);
  const memory::desc to_desc = describe(target.shape, target.layout, target.dtype);
  const dnnl::reorder::primitive_desc descriptor(state.engine, from_desc, state.engine, to_desc, attributes(),
                                                 /*allow_empty=*/true);
  if (!descriptor) return nullptr;
  auto step = std::make_unique<DnnlStep>(state, dnnl::reorder(descriptor));
  step->bind(DNNL_ARG_FROM, state, from_desc, from);
  step->bind(DNNL_ARG_TO, state, to_desc, to);
  step->bind_scratch(state, descriptor.scratchpad_desc());
  scratch_bytes = static_cast<std::int64_t>(descriptor.scratchpad_desc().get_size());
  return step;
}

}  // namespace cleave::exec::fast
