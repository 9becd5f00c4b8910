-- The client's methods, written once in the form that returns nil and an error;
-- connectly raises what connectly.safe returns.

local native = require "connectly.loader"
local errors = require "connectly.errors"
local json = require "connectly.json"

-- Seconds in C at a time while a call is waited for. Between two slices Lua runs
-- its hooks, by which the standalone interpreter stops a script on Ctrl-C.
local SLICE = 0.1

---@class connectly.Options
---@field api_key string? default: CONNECTLY_API_KEY
---@field business_id string? default: CONNECTLY_BUSINESS_ID
---@field base_url string? default: CONNECTLY_BASE_URL, else https://api.connectly.ai; http:// only for loopback
---@field sender string? default sender, E.164
---@field timeout number? seconds for all of one call; default 30
---@field connect_timeout number? seconds for the name, the connection and TLS; default 5
---@field max_attempts integer? requests of one call, of what may be repeated, but for an outage; default 3
---@field rate number? requests in any second; default 200
---@field max_in_flight integer? calls at once; default 64
---@field max_connections integer? open at once; default 16
---@field max_connection_age number? seconds after which a connection takes no new requests; default 300
---@field ca_file string? certificates to trust instead of the system's and the environment's
---@field ca_path string? the same as a hashed directory, or several with ":" between them
---@field proxy string? default: https_proxy and its kin
---@field proxy_ca_file string? certificates to trust for an https:// proxy; default: those for the API
---@field proxy_ca_path string? the same as a hashed directory
---@field http2 boolean? where the server has it; default true
---@field retry_unknown boolean? at least once instead of at most once; default false
---@field limiter connectly.Limiter? shared with other processes; see connectly.limiter
---@field on_event fun(event: connectly.Event)? told of each call's start and end
---@field status_store any fed by the webhooks' handler, for wait_delivery

---@class connectly.Event
---@field name "start"|"attempt"|"retry"|"throttled"|"done"|"limiter_lost"|"limiter_back"
---@field operation string? of all but the limiter's
---@field call integer? which call, counted from 1 in one client
---@field attempt integer? of attempt, retry and throttled: which
---@field attempts integer? of done: how many there were
---@field delay number? of retry and throttled: seconds
---@field reason string? of retry: why it may be repeated; of limiter_lost: what is wrong
---@field kind string? of attempt and done, when it failed
---@field outcome string? likewise
---@field code string? of done: the API's
---@field id string? of done: the message's
---@field status integer?
---@field http_version string?
---@field elapsed number? of done: seconds
---@field timings connectly.Timings? of attempt

---@class connectly.Timings seconds since the attempt began; absent where it did not come so far
---@field dns number?
---@field connect number?
---@field tls number?
---@field first_byte number?
---@field total number?

---@class connectly.Info
---@field attempts integer requests tried, those of an outage too
---@field elapsed number seconds from call to reply
---@field http_version "1.0"|"1.1"|"2"|"3"|""
---@field status integer
---@field change ("created"|"updated"|"none")? of ensure_webhook alone

---@class connectly.Result of one message of send_many
---@field index integer which one of the source, from 1
---@field message any as the source gave it
---@field id any the id; of operations that give a whole reply, that; nil when it failed
---@field info connectly.Info?
---@field error connectly.Error?

---@class connectly.Stats counted since the first call
---@field calls integer that were started
---@field succeeded integer
---@field not_sent integer calls that ended so
---@field rejected integer likewise
---@field unknown integer likewise
---@field attempts integer requests tried
---@field retries integer attempts after the first of a call
---@field throttled integer departures that had to wait for the rate
---@field events_lost integer that on_event was not told of
---@field in_flight integer calls under way now

-- What belongs to a client, kept from its users: a printed client shows nothing.
local inner_of = setmetatable({}, { __mode = "k" })

local function inner(client, method)
  local found = inner_of[client]
  if not found then
    error(("connectly: client expected, got %s (call it as client:%s(...))"):format(type(client), method), 3)
  end
  return found
end

-- Errors of ours that stand for the interpreter's.
local interruptions = setmetatable({}, { __mode = "k" })

--- Whether an error is the interpreter's answer to Ctrl-C: nobody may keep that.
local function is_interrupt(problem)
  return type(problem) == "string" and problem:find("interrupted!", 1, true) ~= nil
    or problem ~= nil and interruptions[problem] == true
end

--- Raises an error that tells what was done before another one came: its `cause`.
local function raise_for(problem)
  interruptions[problem] = is_interrupt(problem.cause) or nil
  error(problem, 0)
end

--- What the interpreter ends by Ctrl-C ends at once: whether it does.
local function hurry_when_interrupted(self, problem)
  if is_interrupt(problem) then
    self.native:hurry()
    return true
  end
  return false
end

local function emit(self, event)
  if not self.on_event then
    return
  end
  -- A logger that fails must not cost the result of a message that was sent.
  local is_fine, problem = pcall(self.on_event, event)
  if not is_fine and hurry_when_interrupted(self, problem) then
    error(problem, 0)
  elseif not is_fine and not self.has_complained then
    self.has_complained = true
    io.stderr:write("connectly: on_event raised: ", tostring(problem), "\n")
  end
end

--- What happened on the way, in the order in which it happened.
local function emit_pending(self)
  if not self.on_event then
    return
  end
  local event = self.native:next_event()
  while event do
    emit(self, event)
    event = self.native:next_event()
  end
end

-- Whether the process has a descriptor left, which loading a module needs.
local function has_descriptor()
  local file, _, number = io.open("/dev/null")
  if file then
    file:close()
  end
  return file ~= nil or not (number == 23 or number == 24) -- ENFILE, EMFILE
end

local function not_loaded(name, reason)
  if not has_descriptor() then
    return errors.new {
      kind = "overloaded", outcome = "not_sent", message = name .. " cannot be loaded: no file descriptor is free",
      hint = "close files or raise the limit (ulimit -n, worker_rlimit_nofile)",
    }
  end
  return errors.new {
    kind = "config", outcome = "not_sent", message = ("%s cannot be loaded: %s"):format(name, tostring(reason):match("^[^\n]*")),
    hint = name == "lua-cjson" and "luarocks install lua-cjson" or "install connectly again",
  }
end

--- A module that a method needs, loaded at the method's beginning and not with the
--- library, since a short script should not pay for it: the module, or nil and an error.
--- No method may load one after it has submitted something: the message would leave, and
--- the method fail.
local function load_part(name)
  local is_loaded, part = pcall(require, name)
  if is_loaded then
    return part
  end
  return nil, not_loaded(name, part)
end

--- Tells of a call that ended before it was one.
local function tell_refused(self, operation, problem)
  emit(self, { name = "start", operation = operation })
  emit(self, {
    name = "done", operation = operation, kind = problem.kind, outcome = problem.outcome, attempts = 0, elapsed = 0,
  })
  return problem
end

--- Tells of a call that has begun: its ticket; or nil and the error, which is told too.
local function tell_begun(self, operation, ticket, second)
  if not ticket then
    return nil, tell_refused(self, operation, errors.complete(second))
  end
  local is_told, problem = pcall(emit, self, { name = "start", operation = operation, call = second })
  if not is_told and is_interrupt(problem) then
    self.native:forget(ticket)
    error(problem, 0)
  end
  return ticket
end

--- Starts a call: its ticket; or nil and the error, told as any call's end is. `anchor`,
--- of native:anchor, is bound to it. With a `batch` the message is what native:encode
--- made of it.
local function submit(self, operation, message, group, anchor, batch)
  local ticket, second
  if self.is_closing then -- while it is drained, giving way, it is closed to others already
    second = errors.new { kind = "closed", outcome = "not_sent", message = "the client is closed" }
  elseif batch then
    ticket, second = self.native:submit_batch(operation, message, batch, anchor)
  else
    ticket, second = self.native:submit(operation, message, group, anchor)
  end
  if ticket and not self.on_event then
    return ticket
  end
  return tell_begun(self, operation, ticket, second)
end

local function ask_limiter(self)
  local wanted, pause = self.native:slots_wanted()
  if pause then
    self.limiter:pause(pause)
  end
  if wanted > 0 then
    return self.limiter:reserve(wanted, function(at) self.native:give_slot(at) end,
      function(name, reason) emit(self, { name = name, reason = reason }) end)
  end
end

--- With a shared limiter: reserves the departures that are wanted, and tells of a
--- 429. Returns seconds until it should be called again, or nil.
local function pump(self)
  if not self.limiter or self.is_pumping then
    return
  end
  self.is_pumping = true -- a limiter may give way to the host's loop
  local is_fine, again = pcall(ask_limiter, self)
  self.is_pumping = false
  if not is_fine then
    error(again, 0)
  end
  return again
end

--- Waits until a call has ended: true, or false after `timeout` seconds.
local function wait_blocking(self, ticket, timeout)
  local handle = self.native
  local left = timeout or math.huge
  while not handle:is_done(ticket) do
    if left <= 0 then
      return false
    end
    local again = pump(self) or SLICE
    local slice = math.min(left, SLICE, again)
    handle:step(slice, ticket)
    left = left - slice
    emit_pending(self)
  end
  return true
end

--- `signal` is the host's where it is known that the host may be given way to.
local function wait(self, ticket, timeout, signal)
  if signal or self.host and self.host:may_wait("waiting for a call") then
    return self.host:wait(ticket, timeout, signal)
  end
  return wait_blocking(self, ticket, timeout)
end

--- Waiting was left by an error: where it blocks, whatever it was, the program
--- wants to end.
local function interrupted(self, problem)
  if not hurry_when_interrupted(self, problem) and not self.host then
    self.native:hurry()
  end
end

--- The same; Ctrl-C and a caller's hooks leave it by an error.
local function wait_interruptibly(self, ticket, timeout)
  local is_fine, ended = pcall(wait, self, ticket, timeout)
  if not is_fine then
    interrupted(self, ended)
    error(ended, 0)
  end
  return ended
end

-- Operations that give the whole reply, decoded; the others give its id.
local gives_reply = {}
for _, operation in ipairs(native.operations()) do
  gives_reply[operation.name] = operation.reply ~= "id"
end

local campaigns -- connectly.campaigns, from when it is needed

--- Loads what reads the reply of an operation: true, or nil and an error.
local function load_reader(operation)
  if gives_reply[operation] then
    local is_loaded, reason = pcall(json.load)
    if not is_loaded then
      return nil, not_loaded("lua-cjson", reason)
    end
  end
  if operation == "send_campaigns" and not campaigns then
    local part, problem = load_part "connectly.campaigns"
    campaigns = part
    return part and true, problem
  end
  return true
end

--- The reply as its operation gives it; nil when it cannot be decoded, as for lack of memory.
local function read_reply(operation, text)
  local reply = text == "" and {} or json.decode(text)
  if operation == "send_campaigns" and reply ~= nil then
    return campaigns.read(reply)
  end
  return reply
end

local function not_decoded(info)
  return errors.new {
    kind = "protocol", outcome = "unknown", status = info.status, attempts = info.attempts,
    message = "the reply cannot be decoded",
  }
end

--- An error as its operation gives it: with what became of the entries of campaigns.
local function complete_error(operation, problem, reply)
  errors.complete(problem)
  problem.result = reply and read_reply(operation, reply)
  return problem
end

--- value, info; or nil, error: of what native:result gave.
local function finish(self, operation, value, second, _, reply)
  if self.on_event then
    emit_pending(self)
  end
  if value == nil then
    return nil, complete_error(operation, second, reply)
  elseif not gives_reply[operation] then
    return value, second
  end
  value = read_reply(operation, value)
  if value == nil then
    return nil, not_decoded(second)
  end
  return value, second
end

--- Gives way to the host's loop while it waits, if there is one: then the call is
--- carried by the client's thread. true and, where it gives way, a signal to wait at; or
--- nil and an error.
local function make_ready(self, what, operation)
  local is_loaded, refusal = load_reader(operation)
  if not is_loaded then
    return nil, refusal
  end
  if not self.host or not self.host:may_wait(what) then
    return true
  end
  local is_ready, problem = self.native:background()
  if not is_ready then
    return nil, errors.complete(problem)
  end
  return true, self.host:signal()
end

local function reserve_departures(self)
  local is_told, is_asked = false, false
  if self.host then
    is_told, is_asked = self.host:listen()
  end
  if not is_told and not is_asked then
    pump(self)
  end
end

--- A call was started that is not waited for yet. With a shared limiter the host's loop
--- reserves its departure, or else this does, once. An error of either must not cost the
--- call that was started: its caller asks again when it waits, and gets the error.
local function attend(self)
  if not self.limiter then
    return
  end
  local is_fine, problem = pcall(reserve_departures, self)
  if not is_fine and hurry_when_interrupted(self, problem) then
    error(problem, 0)
  end
end

--- The rest; the first was needed until now, which a compiler must be told.
local function after(_, ...)
  return ...
end

--- A whole call: value, info; or nil, error. `batch`: see submit.
local function perform(self, operation, message, batch)
  local is_ready, second = make_ready(self, operation, operation)
  if not is_ready then
    return nil, second
  end
  -- A request of nginx that is ended while it waits ends without a word: then its
  -- result is given up with this.
  local anchor = self.host and self.native:anchor() or nil
  local ticket, problem = submit(self, operation, message, nil, anchor, batch)
  if not ticket then
    return nil, problem
  end
  local is_done, interruption = pcall(wait, self, ticket, nil, second)
  if not is_done then
    -- Nothing stays in flight unseen.
    interrupted(self, interruption)
    self:forget(ticket)
    self.native:forget(ticket)
    pcall(emit_pending, self)
    error(interruption, 0)
  end
  return after(anchor, finish(self, operation, self.native:result(ticket)))
end

--- Results that nobody holds any more keep their places until the collector has come
--- by, which a program with a large heap lets do so seldom.
local function make_room(self)
  if not self.native:has_room() then
    collectgarbage() -- the call
    collectgarbage() -- and, on LuaJIT, what hung on it by a weak key
  end
end

local methods = {}

---Sends a template message. API: template message.
---@param message table
---@return string? id the API's id, a ULID
---@return connectly.Info|connectly.Error
function methods.send_template(self, message)
  return perform(self, "send_template", message)
end

---Sends a session (free-form) message, allowed within 24 hours of the
---customer's last one. API: session message.
---@param message table
---@return string? id
---@return connectly.Info|connectly.Error
function methods.send_session(self, message)
  return perform(self, "send_session", message)
end

---Any other request below /v1/businesses/{businessId}, with the same errors and
---the same care: { method =, path =, body = a table, or JSON as a string }.
---@param request {method: string, path: string, body: any}
---@return any? reply the decoded reply; an empty table when it had no body
---@return connectly.Info|connectly.Error
function methods.request(self, request)
  return perform(self, "request", request)
end

---Starts the campaigns that were published in Connectly's UI. Entries:
---{ number =, campaign_name =, campaign_version =, sender =, variables = { name = value },
---scheduled_at = "2026-12-01T15:00:00Z" }. Nobody may stand twice for one campaign. The
---entries go in chunks of 100, one after the other; all are checked before the first
---goes, and go as they were then. An entry that the API refuses makes it an error, also
---where the API answers 200; its `result` has what became of each chunk. `timeout` is
---each request's. What a metatable computes goes in one request. When an error of
---somebody else, of a limiter for instance or Ctrl-C, ends it midway, the error that is
---raised has it as its `cause`. API: campaigns.
---@param message {entries: table[]}
---@param options {chunk_size: integer?}? entries in one request, 1 to 1000
---@return connectly.Campaigns?
---@return connectly.Info|connectly.Error
function methods.send_campaigns(self, message, options)
  local function encode(chunk)
    local body, second, _, batch = self.native:encode("send_campaigns", chunk)
    if not body then
      return nil, errors.complete(second)
    end
    return body, batch
  end
  local is_loaded, refusal = load_reader "send_campaigns"
  if not is_loaded then
    return nil, refusal
  end
  local chunks, problem = campaigns.prepare(message, options, encode)
  if not chunks then
    return nil, tell_refused(self, "send_campaigns", problem)
  end
  return campaigns.send(chunks,
    function(body, batch) return perform(self, "send_campaigns", body, batch) end, raise_for)
end

---Registers a webhook, or changes the one that its topic has. `info.change` is
---"created", "updated" or "none". API: webhooks, registration.
---@param message connectly.CreateWebhook
---@return string? id
---@return connectly.Info|connectly.Error
function methods.ensure_webhook(self, message)
  local registration, problem = load_part "connectly.registration"
  local is_loaded, refusal = load_reader "list_webhooks" -- which may follow the creation
  if not registration or not is_loaded then
    return nil, problem or refusal
  end
  return registration.ensure(message, function(operation, fields) return perform(self, operation, fields) end)
end

--- Makes ready for calls on the client's thread: true, or nil and the error.
local function make_background(self, operation)
  local is_loaded, refusal = load_reader(operation)
  if not is_loaded then
    return nil, refusal
  end
  local is_ready, problem = self.native:background()
  if not is_ready then
    return nil, errors.complete(problem)
  end
  make_room(self)
  return true
end

---Starts a call in the background and returns at once: it makes progress on a
---thread of its own. From the first one on that thread carries all the client's
---calls. A result that is not read keeps its place until the call is collected.
---@param operation string
---@param message table
---@return connectly.Call? call
---@return connectly.Error?
function methods.start(self, operation, message)
  local new_call, problem = self.call_constructor()
  if not new_call then
    return nil, problem
  end
  local is_ready, refusal = make_background(self, operation)
  if not is_ready then
    return nil, refusal
  end
  -- Complete but for its ticket before anything leaves.
  local call, state = new_call(self, operation)
  local ticket, why = submit(self, operation, message, nil, state.anchor)
  if not ticket then
    return nil, why
  end
  state.ticket = ticket
  attend(self)
  return call
end

---The same for a call whose result nobody will ask for, as in nginx's log phase: it
---keeps no place. What became of it `on_event` tells, and `stats` counts. Not for
---send_campaigns, whose result must be read.
---@param operation string
---@param message table
---@return boolean? is_started
---@return connectly.Error?
function methods.post(self, operation, message)
  if operation == "send_campaigns" then
    -- Only its reply says who was refused.
    error("connectly: post: the result of send_campaigns must be read: use start, and wait for it", 3)
  end
  local is_ready, refusal = make_background(self, operation)
  if not is_ready then
    return nil, refusal
  end
  local ticket, why = submit(self, operation, message)
  if not ticket then
    return nil, why
  end
  self.native:detach(ticket)
  attend(self)
  return true
end

---Sends many messages, a bounded number at a time: an iterator of results, in
---order of completion, each with index, message, and id and info or error. Memory
---does not grow with their number. Errors of messages are in the results, in both
---faces; what the source itself raises is raised when all in flight have ended.
---@param source table|fun(): table? a list, or a function that gives the next message and nil at the end
---@param options {operation: string?, in_flight: integer?}? default: "send_template", 64
---@return fun(): connectly.Result?
function methods.send_many(self, source, options)
  if type(source) ~= "table" and type(source) ~= "function" then
    error(("connectly: send_many: list or function expected, got %s"):format(type(source)), 3)
  end
  local many, problem = load_part "connectly.many"
  if not many then
    error(problem, 0)
  end
  options = many.check(options or {}, 3)
  local is_ready, second = make_ready(self, "send_many", options.operation)
  if not is_ready then
    error(second, 0)
  end
  self.groups = self.groups + 1
  return many.new(self, self.groups, second, source, options)
end

---Counters since the first call, and what is under way now.
---@return connectly.Stats
function methods.stats(self)
  emit_pending(self)
  return self.native:stats()
end

---The exact JSON that would go; nothing is sent, nothing is opened.
---@param operation string any of the methods that send something
---@param message table
---@return string? body
---@return {method: string, path: string}|connectly.Error
function methods.dry_run(self, operation, message)
  local body, second, path = self.native:encode(operation, message)
  if body == nil then
    return nil, errors.complete(second)
  end
  return body, { method = second, path = path }
end

--- What the API answers to a question for the templates; or nil and the error.
local function fetch_templates(self)
  return perform(self, "list_templates", {})
end

---Checks a template message, in any form that send_template takes, against the
---approved templates, and shows what the customer would see. Sends nothing. The
---templates are fetched when they are needed and kept for `max_age` seconds.
---API: get templates.
---@param message table
---@param options connectly.TemplateCheckOptions? templates, a saved list; max_age, default 300 seconds; refresh
---@return connectly.TemplateReport? report nil when the templates could not be fetched
---@return connectly.Error?
function methods.check_template(self, message, options)
  local template, problem = load_part "connectly.template"
  local source, second = load_part "connectly.template.source"
  if not template or not source then
    return nil, problem or second
  end
  self.templates = self.templates or source.new(function() return fetch_templates(self) end, native.clock)
  return template.check_for(self.templates, message, options, 3)
end

---Waits until webhooks have told that a message is `read`, or what until_status says:
---see connectly.webhook.status_store, which the client and the webhooks' handler share.
---A failed delivery is the error its webhook tells of. When the time is up: kind
---`timeout`, outcome `unknown`, with what is known so far in its field `delivery`.
---API: webhooks, topic delivery_status.
---@param id string what the send call returned
---@param timeout number? seconds; 0: only looks; default: the client's timeout
---@param options {until_status: "sent"|"delivered"|"read"}? default: "read", which not every customer lets be told
---@return string? status until_status, or one beyond it
---@return connectly.DeliveryStatus|connectly.Error
function methods.wait_delivery(self, id, timeout, options)
  local delivery, problem = load_part "connectly.delivery"
  if not delivery then
    return nil, problem
  end
  local status, second = delivery.wait(self, id, timeout, options)
  return status, second
end

--- Waits until nothing is under way, `seconds` at most; in slices, for Ctrl-C.
local function drain(self, seconds)
  local gives_way = self.host and self.host:may_wait("close")
  self.is_closing = true
  if gives_way then
    return self.host:drain(seconds)
  end
  local until_then = native.clock() + seconds
  local left = seconds
  while left > 0 and self.native:drain(math.min(left, pump(self) or SLICE, SLICE)) > 0 do
    emit_pending(self)
    left = until_then - native.clock()
  end
end

---Takes no more calls, waits up to `drain_seconds` for those under way, ends the
---rest, closes the connections and overwrites the client's copies of the key (memory
---that libcurl has freed may still hold some). Calls after it fail with kind `closed`;
---the results of calls started before it can still be waited for. Harmless when done
---before.
---@param drain_seconds number? default: the client's timeout
---@return boolean all_ended false when calls had to be ended that were under way
function methods.close(self, drain_seconds)
  local seconds = drain_seconds or self.timeout
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= 86400) then
    error("connectly: close: seconds from 0 to 86400 expected", 3)
  end
  local is_fine, problem = pcall(drain, self, seconds)
  if not is_fine then
    hurry_when_interrupted(self, problem)
    error(problem, 0)
  end
  local ended = self.native:close(0)
  if self.host then
    self.host:look_around()
  end
  emit_pending(self)
  return ended == 0
end

--- The rest are what their entry in operations.def says: fields in, the id or the
--- decoded reply out.
for _, operation in ipairs(native.operations()) do
  local name = operation.name
  methods[name] = methods[name] or function(self, message)
    return perform(self, name, message == nil and {} or message)
  end
end

--- One metatable a face: `deliver` raises or returns.
local function make_class(deliver)
  local class = {}
  for name, method in pairs(methods) do
    class[name] = function(client, ...)
      return deliver(method(inner(client, name), ...))
    end
  end
  local function close(client, problem)
    local self = inner_of[client]
    methods.close(self, hurry_when_interrupted(self, problem) and 0 or nil)
  end
  local function describe(client)
    return ("connectly.client (%s)"):format(inner_of[client].native:is_closed() and "closed" or "open")
  end
  return {
    __name = "connectly.client", __metatable = "connectly.client",
    __index = class, __close = close, __tostring = describe,
  }
end

local function raise(value, second, ...)
  if value == nil then
    error(second, 0)
  end
  return value, second, ...
end

local function hand_back(...)
  return ...
end

--- What calls in the background, send_many and hosts may do with their client.
local inner_class = {
  hurry_when_interrupted = hurry_when_interrupted, submit = submit, wait = wait_interruptibly, finish = finish,
  emit_pending = emit_pending, pump = pump,
}
inner_class.__index = inner_class

--- The signal is set when the call has ended.
function inner_class:expect(ticket, signal)
  self.host:expect(ticket, signal)
end

function inner_class:forget(ticket)
  if self.host then
    self.host:forget(ticket)
  end
end

--- Makes progress, until a call of the group has ended or a moment has passed.
function inner_class:step(group, signal, is_for_room)
  if signal then
    return self.host:wait_at(signal, is_for_room)
  end
  self.native:step(math.min(pump(self) or SLICE, SLICE), nil, group)
  emit_pending(self)
end

--- The host's loop, where there is one that need not be attached: a host, nil, or nil and
--- an error.
local function find_host(self)
  local ngx = rawget(_G, "ngx")
  if type(ngx) ~= "table" or not ngx.get_phase then
    return nil
  end
  local host, problem = load_part "connectly.host"
  local driver, second = load_part "connectly.openresty.host"
  if not host or not driver then
    return nil, problem or second
  end
  return host.new(self, driver)
end

--- An error that says what is wrong with a status store, or nil.
local function refuse_store(store)
  if store == nil then
    return nil
  end
  local delivery, problem = load_part "connectly.delivery"
  if not delivery then
    return problem
  end
  return delivery.refusal(store)
end

--- A constructor of clients whose methods `deliver` so.
local function make_constructor(deliver)
  local metatable = make_class(deliver)
  local new_call
  -- Loaded by the first call in the background.
  local function call_constructor()
    local calls, problem
    if not new_call then
      calls, problem = load_part "connectly.call"
      new_call = calls and calls.make_constructor(deliver)
    end
    return new_call, problem
  end
  return function(options)
    options = options == nil and {} or options
    local on_event = type(options) == "table" and options.on_event or nil
    local limiter = type(options) == "table" and options.limiter or nil
    local handle, problem = native.new(options, json.encode, on_event ~= nil, limiter ~= nil)
    if not handle then
      return deliver(nil, problem)
    end
    if on_event ~= nil and type(on_event) ~= "function" then
      return deliver(nil, errors.config("on_event", "function expected, got " .. type(on_event)))
    end
    if limiter ~= nil and (type(limiter) ~= "table" or not limiter.reserve or not limiter.pause) then
      return deliver(nil, errors.config("limiter", "one of connectly.limiter expected, got " .. type(limiter)))
    end
    local store = options.status_store
    local refusal = refuse_store(store)
    if refusal then
      return deliver(nil, refusal)
    end
    local client = setmetatable({}, metatable)
    -- What is not there is false: for a nil Lua would look into the class each time.
    local self = setmetatable({
      native = handle, on_event = on_event or false, call_constructor = call_constructor, groups = 0,
      timeout = options.timeout or 30, limiter = limiter or false, status_store = store or false, host = false,
      is_closing = false, is_pumping = false,
    }, inner_class)
    local host, reason = find_host(self)
    if reason then
      return deliver(nil, reason)
    end
    self.host = host or false
    inner_of[client] = self
    return client
  end
end

--- Lets a driver's loop carry a client's waiting (connectly.loop).
local function attach(client, driver)
  local self = inner(client, "attach")
  if self.host and next(self.host.signals) ~= nil then
    error("connectly: attach: calls of the client are being waited for in the loop that it is attached to", 3)
  end
  self.host = require("connectly.host").new(self, driver)
  return client
end

return { new = make_constructor(raise), new_safe = make_constructor(hand_back), attach = attach }
