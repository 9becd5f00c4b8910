/*
 * visibility.h - hides all symbols of the module.
 *
 * A Lua module shares its process with other C libraries, so its symbols stay hidden. The visibility is
 * set in the sources because LuaRocks' builtin build takes no compiler flags. Every header of this
 * library declares its functions between CLY_PRIVATE_BEGIN and CLY_PRIVATE_END. Only
 * luaopen_connectly_native is exported, by CLY_EXPORT.
 */
#ifndef CLY_CORE_BASE_VISIBILITY_H
#define CLY_CORE_BASE_VISIBILITY_H

#if defined(__GNUC__)
#define CLY_PRIVATE_BEGIN _Pragma("GCC visibility push(hidden)")
#define CLY_PRIVATE_END _Pragma("GCC visibility pop")
#define CLY_EXPORT __attribute__((visibility("default")))
#define CLY_MUST_CHECK __attribute__((warn_unused_result))
#define CLY_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CLY_PRIVATE_BEGIN
#define CLY_PRIVATE_END
#define CLY_EXPORT
#define CLY_MUST_CHECK
#define CLY_PRINTF(text, first)
#endif

#endif
