#include "core/schema.h"

#define CLY_SHAPE(shape) static const cly_field fields_of_##shape[] = {
#define CLY_FIELD(shape, name, wire, type, flags, low, high, nested) \
    {#name, wire, sizeof #name - 1, sizeof wire - 1, CLY_FIELD_##type, flags, low, high, nested},
#define CLY_SHAPE_END(shape)                                                            \
    }                                                                                   \
    ;                                                                                   \
    const cly_shape cly_shape_##shape = {#shape, fields_of_##shape, cly_count_##shape}; \
    _Static_assert((int)cly_count_##shape <= (int)CLY_SLOT_MAX, "raise CLY_SLOT_MAX");
#include "core/fields.def"
