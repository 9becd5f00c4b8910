--- The API of the nginx benchmarks: a separate nginx that answers every POST with an id after a
--- delay, over TLS and HTTP/2, and over plain HTTP/1.1 for hand-written clients. It keeps
--- connections open, and counts how often each callbackData arrived.

local nginx = require "spec.support.nginx"
local ports = require "spec.support.ports"
local server = require "spec.bench.server"

local PATIENCE = 30 -- seconds for an answer about many

local http = [[
  lua_shared_dict seen 64m;
  keepalive_requests 1000000000;
  http2_max_concurrent_streams 128;
  client_body_buffer_size 64k;
  default_type application/json;
]]

-- A message counts when all of it is here. What is told of the keys: how many came,
-- how many of them more than once, and which of PREFIX1, PREFIX2, ... did not.
local locations = [[
  listen 127.0.0.1:%d ssl http2;
  ssl_certificate %s/server.pem;
  ssl_certificate_key %s/server.key;
  location / { content_by_lua_block {
    ngx.req.read_body()
    local key = ngx.req.get_body_data():match '"callbackData":"([^"]*)"'
    if key then
      ngx.shared.seen:incr(key, 1, 0)
    end
    ngx.sleep(%s)
    ngx.header.content_length = 35
    ngx.print '{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}'
  } }
  location = /forget { content_by_lua_block { ngx.shared.seen:flush_all() ngx.print "done" } }
  location = /seen { content_by_lua_block {
    local keys, arrivals, doubled = ngx.shared.seen:get_keys(0), 0, {}
    for _, key in ipairs(keys) do
      local count = ngx.shared.seen:get(key)
      arrivals = arrivals + count
      doubled[#doubled + 1] = count > 1 and key .. "=" .. count or nil
    end
    ngx.print(#keys, " ", arrivals, " ", #doubled, " ", table.concat(doubled, ",", 1, math.min(20, #doubled)))
  } }
  location = /missing { content_by_lua_block {
    local prefix, last = ngx.var.arg_prefix, tonumber(ngx.var.arg_last)
    local missing = {}
    for index = 1, last do
      missing[#missing + 1] = not ngx.shared.seen:get(prefix .. index) and prefix .. index or nil
    end
    ngx.print(table.concat(missing, ","))
  } }
]]

local api = {}
api.__index = api

--- Starts one; to be stopped. `folder` is an empty one, for the certificates.
---@param folder string
---@param delay number  seconds until it answers
---@return table api  with url (https), port (plain HTTP) and ca_file
function api.start(folder, delay)
  server.make_certificates(folder)
  local port = ports.free()
  local running = nginx.start { http = http, server = locations:format(port, folder, folder, delay) }
  return setmetatable({
    nginx = running, url = "https://localhost:" .. port, port = running.port, ca_file = folder .. "/ca.pem",
  }, api)
end

local function ask(self, path)
  local status, body = self.nginx:request { path = path, timeout = PATIENCE }
  assert(status == 200, body)
  return body
end

--- How many keys arrived, how many messages, how many keys more than once, and some
--- of the latter.
---@return { keys: integer, arrivals: integer, doubled: integer, which: string }
function api:seen()
  local keys, arrivals, doubled, which = ask(self, "/seen"):match("^(%d+) (%d+) (%d+) (.*)$")
  return { keys = tonumber(keys), arrivals = tonumber(arrivals), doubled = tonumber(doubled), which = which }
end

--- Which of PREFIX1 to PREFIX<last> did not arrive, with commas between.
---@return string
function api:missing(prefix, last)
  return ask(self, ("/missing?prefix=%s&last=%d"):format(prefix, last))
end

function api:forget()
  ask(self, "/forget")
end

function api:stop()
  self.nginx:stop()
end

return api
