--- Sends through an nginx with two worker processes while it reloads its configuration again
--- and again. nginx_soak.lua uses it for a long run, spec/nginx/reload_spec.lua for a short one.
---
--- Half of the requests send and answer with the id; the other half answer at once and send in
--- log_by_lua. Each message has a key of its own: s1, s2, ... and f1, f2, ...

local cqueues = require "cqueues"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"

local PATIENCE = 20 -- seconds for an answer, and for the last ones to arrive

local http = [[
  init_by_lua_block {
    client = require("connectly").new {
      api_key = "key", business_id = "business", base_url = "%s", ca_file = "%s", rate = 100000, timeout = 15,
    }
    function message(key)
      return {
        number = "+16044441234", template_name = "order_confirmation", language = "en",
        body = { "Maria Oliveira", "Order #98765" }, callback_data = key,
      }
    end
  }
]]

local locations = [[
  location = /send { content_by_lua_block { ngx.print((client:send_template(message(ngx.var.args)))) } }
  location = /log {
    content_by_lua_block { ngx.print "pong" }
    log_by_lua_block {
      local is_fine, problem = pcall(client.start, client, "send_template", message(ngx.var.args))
      if not is_fine then
        ngx.log(ngx.ERR, "not started: ", tostring(problem))
      end
    }
  }
]]

local reloads = {}
reloads.__index = reloads

--- Starts the nginx under test; to be stopped.
---@param api table  of nginx_api.lua
---@param folder string  where its sockets go; must be empty again in the end
---@return table
function reloads.start(api, folder)
  local server = nginx.start {
    workers = 2, main = ("env TMPDIR=%s;"):format(folder), http = http:format(api.url, api.ca_file), server = locations,
  }
  return setmetatable({
    api = api, folder = folder, server = server, waited = 0, logged = 0, failures = {}, reloads = 0, samples = {},
  }, reloads)
end

local function request(self, path, expected)
  local status, body = self.server:request { path = path, timeout = PATIENCE }
  if status ~= 200 or not body:find(expected) then
    self.failures[#self.failures + 1] = ("%s: %s %s"):format(path, status, body)
  end
end

--- One sends and one is logged, in turn.
local function next_request(self)
  if self.waited > self.logged then
    self.logged = self.logged + 1
    return request(self, "/log?f" .. self.logged, "^pong$")
  end
  self.waited = self.waited + 1
  request(self, "/send?s" .. self.waited, "^%w+$")
end

local function count_of(path)
  return tonumber(process.capture(("ls %s 2>/dev/null | wc -l"):format(path)))
end

--- KiB, descriptors and threads of a process; nil when it is gone.
local function look_at(pid)
  local status = io.open(("/proc/%d/status"):format(pid))
  local size = status and status:read("*a"):match("VmRSS:%s*(%d+) kB")
  if status then
    status:close()
  end
  local descriptors, threads = count_of(("/proc/%d/fd"):format(pid)), count_of(("/proc/%d/task"):format(pid))
  return size and { memory = tonumber(size), descriptors = descriptors, threads = threads }
end

local function sample(self)
  local serving, leaving = self.server:workers()
  local workers = {}
  for _, pid in ipairs(serving) do
    workers[#workers + 1] = look_at(pid)
  end
  table.insert(self.samples, { master = look_at(self.server.master), workers = workers, leaving = #leaving })
end

--- Makes so many requests, `at_once` at a time, and every `interval` seconds, when it
--- is given, a reload; looks at all processes every second.
---@param count integer
---@param at_once integer
---@param interval number?
function reloads:run(count, at_once, interval)
  local controller, left, running = cqueues.new(), count, at_once
  for _ = 1, at_once do
    controller:wrap(function()
      while left > 0 do
        left = left - 1
        next_request(self)
      end
      running = running - 1
    end)
  end
  controller:wrap(function()
    while running > 0 do
      cqueues.sleep(interval or 1)
      sample(self)
      if interval and running > 0 then
        self.reloads = self.reloads + 1
        self.server:reload()
      end
    end
  end)
  assert(controller:loop())
end

local function wait_until(question)
  local deadline = cqueues.monotime() + PATIENCE
  while not question() and cqueues.monotime() < deadline do
    cqueues.sleep(0.1)
  end
end

--- Lines of nginx's log that tell of something wrong.
---@return string[]
function reloads:complaints()
  local lines = {}
  for line in self.server:log():gmatch("[^\n]+") do
    if line:find("%[error%]") or line:find("%[crit%]") or line:find("%[alert%]") or line:find("%[emerg%]") then
      lines[#lines + 1] = line
    end
  end
  return lines
end

local function complain(problems, list, what)
  if #list > 0 then
    problems[#problems + 1] = ("%d %s, the first:\n%s"):format(#list, what, table.concat(list, "\n", 1, math.min(5, #list)))
  end
end

--- Waits until all has arrived and old workers are gone, has nginx quit, and says
--- what is wrong: nothing, and the list is empty.
---@return string[] problems
function reloads:finish()
  local problems, total = {}, self.waited + self.logged
  wait_until(function() return self.api:seen().arrivals >= total end)
  wait_until(function() return #select(2, self.server:workers()) == 0 end)
  if #select(2, self.server:workers()) > 0 then
    problems[1] = "a worker does not end"
  end
  self.server:quit()
  local seen = self.api:seen()
  if seen.keys ~= total or seen.arrivals ~= total then
    problems[#problems + 1] = ("%d messages, %d arrivals, %d keys; doubled: %s; missing: %.200s; %.200s"):format(total,
      seen.arrivals, seen.keys, seen.which, self.api:missing("s", self.waited), self.api:missing("f", self.logged))
  end
  complain(problems, self.failures, "errors reached callers")
  complain(problems, self:complaints(), "complaints in nginx's log")
  if process.capture("ls -A " .. self.folder) ~= "" then
    problems[#problems + 1] = "left behind: " .. process.capture("ls -A " .. self.folder)
  end
  return problems
end

function reloads:stop()
  self.server:stop()
end

return reloads
