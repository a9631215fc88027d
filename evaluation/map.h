#pragma once

#include "core/progress.h"
#include "evaluation/decoders/decoder.h"
#include "evaluation/labelled_run.h"

namespace cleave::evaluation {

/// COCO's mean average precision over the labelled pictures. Labels: STEM.txt, see read_yolo_labels; an empty file is
/// a picture without objects, a picture without a file does not count.
/// value         mAP over IoU 0.50 to 0.95, see average_precision; details["map_50"].
/// agreement     see detection_agreement.
/// Throws as labelled_images, observe_each, detect and the label files do.
Accuracy evaluate_map(const LabelledRun& run, const Decoder& decoder, const StageControl& control = {});

}  // namespace cleave::evaluation
