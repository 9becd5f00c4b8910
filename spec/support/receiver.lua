--- A server that receives webhooks, in the process of the spec. It serves requests only while
--- the spec waits for it.
---
---   local receiver = support.start()
---   ... register receiver.address ...
---   local requests = receiver:wait(3)
---   receiver:stop()

local cjson = require "cjson"
local cqueues = require "cqueues"
local http_server = require "http.server"
local new_headers = require("http.headers").new

local patience = 10 -- seconds

local receiver = {}
receiver.__index = receiver

local support = {}

local function read(stream)
  local headers = assert(stream:get_headers(patience))
  local body = assert(stream:get_body_as_string(patience))
  local seen = { body = body, json = cjson.decode(body), method = headers:get(":method"), path = headers:get(":path") }
  seen.header = function(name)
    return headers:get(name)
  end
  return seen
end

local function respond(stream, status)
  local headers = new_headers()
  headers:append(":status", tostring(status))
  if status ~= 204 then
    headers:append("content-length", "0")
  end
  stream:write_headers(headers, true, patience)
end

--- Answers 200, or the next of `answers`: a status, or false for silence.
local function serve(self, stream)
  local seen = read(stream)
  local status = table.remove(self.answers, 1)
  seen.at = cqueues.monotime()
  self.requests[#self.requests + 1] = seen
  if status == false then
    return cqueues.sleep(patience)
  end
  respond(stream, status or 200)
end

---@return table receiver  { address, requests, answers }
function support.start()
  local self = setmetatable({ requests = {}, answers = {} }, receiver)
  self.server = assert(http_server.listen({
    host = "127.0.0.1",
    port = 0,
    onstream = function(_, stream)
      serve(self, stream)
    end,
    onerror = function() end,
  }))
  assert(self.server:listen())
  local _, _, port = self.server:localname()
  self.address = ("http://127.0.0.1:%d/hooks?from=connectly"):format(port)
  return self
end

--- Serves until a condition holds.
---@param is_done fun(): any
function receiver:serve_until(is_done)
  local deadline = cqueues.monotime() + patience
  while not is_done() do
    assert(cqueues.monotime() < deadline, "what was waited for did not come")
    assert(self.server:step(0.02))
  end
end

--- Serves until so many requests came.
---@param count integer
---@return table[] requests
function receiver:wait(count)
  self:serve_until(function()
    return #self.requests >= count
  end)
  return self.requests
end

--- Forgets what came, and what was to be answered.
function receiver:clear()
  self.requests, self.answers = {}, {}
end

function receiver:stop()
  self.server:close()
end

return support
