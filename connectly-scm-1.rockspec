rockspec_format = "3.0"
package = "connectly"
version = "scm-1"

source = {
  url = "git+https://github.com/connectly-lua/connectly.git",
}

description = {
  summary = "WhatsApp messages through the Connectly Business API: never twice, and never a lie about it",
  detailed = [[
    Sends template and session messages from Lua 5.4 and LuaJIT (OpenResty).
    A C core does the HTTP (libcurl) and the JSON; every failure says whether
    the message was not sent, refused, or may have arrived.
  ]],
  license = "MIT",
  labels = { "whatsapp", "messaging", "http", "openresty" },
}

dependencies = {
  "lua >= 5.1, < 5.5",
  "lua-cjson",
  -- the command line
  "argparse",
  -- `connectly sandbox` also wants lua-http; it says so when it is not there
}

-- By library, not by header: Debian keeps headers where LuaRocks does not look.
external_dependencies = {
  CURL = { library = "curl" },
  CRYPTO = { library = "crypto" },
}

build = {
  type = "builtin",
  modules = {
    ["connectly.native"] = {
      sources = {
        "src/core/buffer.c",
        "src/core/call.c",
        "src/core/config.c",
        "src/core/endpoint.c",
        "src/core/error.c",
        "src/core/event.c",
        "src/core/json.c",
        "src/core/json_writer.c",
        "src/core/limiter.c",
        "src/core/message.c",
        "src/core/operation.c",
        "src/core/params.c",
        "src/core/problems.c",
        "src/core/request.c",
        "src/core/response.c",
        "src/core/retry.c",
        "src/core/schema.c",
        "src/core/secret.c",
        "src/core/session.c",
        "src/core/slots.c",
        "src/core/template.c",
        "src/core/text.c",
        "src/core/values.c",
        "src/core/verdict.c",
        "src/core/walk.c",
        "src/core/webhook.c",
        "src/io/bell.c",
        "src/io/chance.c",
        "src/io/client.c",
        "src/io/clock.c",
        "src/io/cork.c",
        "src/io/courier.c",
        "src/io/engine.c",
        "src/io/environment.c",
        "src/io/pin.c",
        "src/io/process.c",
        "src/io/sockets.c",
        "src/io/transfer.c",
        "src/io/trust.c",
        "src/binding/lua_class.c",
        "src/binding/lua_client.c",
        "src/binding/lua_error.c",
        "src/binding/lua_source.c",
        "src/binding/lua_webhook.c",
        "src/binding/module.c",
      },
      incdirs = { "src", "$(CURL_INCDIR)", "$(CRYPTO_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)", "$(CRYPTO_LIBDIR)" },
      libraries = { "curl", "crypto", "m", "pthread", "dl" },
    },
    ["connectly.call"] = "lua/connectly/call.lua",
    ["connectly.campaigns"] = "lua/connectly/campaigns.lua",
    ["connectly.cli.doctor"] = "lua/connectly/cli/doctor.lua",
    ["connectly.cli"] = "lua/connectly/cli/init.lua",
    ["connectly.cli.sandbox"] = "lua/connectly/cli/sandbox.lua",
    ["connectly.client"] = "lua/connectly/client.lua",
    ["connectly.errors"] = "lua/connectly/errors.lua",
    ["connectly.host"] = "lua/connectly/host.lua",
    connectly = "lua/connectly/init.lua",
    ["connectly.json"] = "lua/connectly/json.lua",
    ["connectly.limiter.driver_nginx"] = "lua/connectly/limiter/driver_nginx.lua",
    ["connectly.limiter.driver_plain"] = "lua/connectly/limiter/driver_plain.lua",
    ["connectly.limiter"] = "lua/connectly/limiter/init.lua",
    ["connectly.limiter.options"] = "lua/connectly/limiter/options.lua",
    ["connectly.limiter.other_clock"] = "lua/connectly/limiter/other_clock.lua",
    ["connectly.limiter.outage"] = "lua/connectly/limiter/outage.lua",
    ["connectly.limiter.pace"] = "lua/connectly/limiter/pace.lua",
    ["connectly.limiter.redis"] = "lua/connectly/limiter/redis.lua",
    ["connectly.limiter.script"] = "lua/connectly/limiter/script.lua",
    ["connectly.limiter.shared_dict"] = "lua/connectly/limiter/shared_dict.lua",
    ["connectly.loader"] = "lua/connectly/loader.lua",
    ["connectly.loop.copas"] = "lua/connectly/loop/copas.lua",
    ["connectly.loop.copas_sleep"] = "lua/connectly/loop/copas_sleep.lua",
    ["connectly.loop.cqueues"] = "lua/connectly/loop/cqueues.lua",
    ["connectly.loop"] = "lua/connectly/loop/init.lua",
    ["connectly.loop.luv"] = "lua/connectly/loop/luv.lua",
    ["connectly.many"] = "lua/connectly/many.lua",
    ["connectly.openresty"] = "lua/connectly/openresty.lua",
    ["connectly.openresty.claims"] = "lua/connectly/openresty/claims.lua",
    ["connectly.openresty.host"] = "lua/connectly/openresty/host.lua",
    ["connectly.openresty.webhook"] = "lua/connectly/openresty/webhook.lua",
    ["connectly.registration"] = "lua/connectly/registration.lua",
    ["connectly.safe"] = "lua/connectly/safe.lua",
    ["connectly.sandbox.answer"] = "lua/connectly/sandbox/answer.lua",
    ["connectly.sandbox.certificate"] = "lua/connectly/sandbox/certificate.lua",
    ["connectly.sandbox.check"] = "lua/connectly/sandbox/check.lua",
    ["connectly.sandbox.content"] = "lua/connectly/sandbox/content.lua",
    ["connectly.sandbox.control"] = "lua/connectly/sandbox/control.lua",
    ["connectly.sandbox.exchange"] = "lua/connectly/sandbox/exchange.lua",
    ["connectly.sandbox"] = "lua/connectly/sandbox/init.lua",
    ["connectly.sandbox.json"] = "lua/connectly/sandbox/json.lua",
    ["connectly.sandbox.parameters"] = "lua/connectly/sandbox/parameters.lua",
    ["connectly.sandbox.problem"] = "lua/connectly/sandbox/problem.lua",
    ["connectly.sandbox.routes"] = "lua/connectly/sandbox/routes.lua",
    ["connectly.sandbox.send"] = "lua/connectly/sandbox/send.lua",
    ["connectly.sandbox.shape"] = "lua/connectly/sandbox/shape.lua",
    ["connectly.sandbox.store"] = "lua/connectly/sandbox/store.lua",
    ["connectly.sandbox.templates"] = "lua/connectly/sandbox/templates.lua",
    ["connectly.sandbox.ulid"] = "lua/connectly/sandbox/ulid.lua",
    ["connectly.version"] = "lua/connectly/version.lua",
    ["connectly.webhook"] = "lua/connectly/webhook.lua",
    ["connectly.webhook.event"] = "lua/connectly/webhook/event.lua",
    ["connectly.webhook.time"] = "lua/connectly/webhook/time.lua",
  },
  install = {
    bin = { connectly = "lua/connectly/cli/main.lua" },
  },
}
