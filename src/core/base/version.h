/*
 * version.h - the library's version. A test compares it with the Lua files and the rockspec.
 */
#ifndef CLY_CORE_BASE_VERSION_H
#define CLY_CORE_BASE_VERSION_H

#define CLY_VERSION "0.1.0-dev"

#endif
