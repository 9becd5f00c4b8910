/*
 * options_support.h - an engine's options for plain HTTP on the loopback: one
 * attempt, and a rate that keeps nobody waiting.
 */
#ifndef CLY_SPEC_IO_OPTIONS_SUPPORT_H
#define CLY_SPEC_IO_OPTIONS_SUPPORT_H

#include "io/engine.h"

static inline cly_engine_options options_on_loopback(int max_in_flight, int max_connections) {
    static const cly_ca_paths libcurls_own;
    cly_engine_options options = {0};
    options.settings.user_agent = "spec";
    options.settings.proxy = options.settings.no_proxy = "";
    options.settings.ca_paths = &libcurls_own;
    options.settings.connect_timeout = 5;
    options.settings.is_plain = true;
    options.secret = "key";
    options.max_in_flight = max_in_flight;
    options.max_connections = max_connections;
    options.max_attempts = 1;
    options.max_connection_age = 300;
    options.rate = 100000;
    return options;
}

#endif
