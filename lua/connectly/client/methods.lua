-- The methods of a client, written once, in the form that returns nil and an error. `self` is
-- the inner object (connectly.client.inner).

local errors = require "connectly.errors"
local interrupts = require "connectly.client.interrupts"
local native = require "connectly.loader"
local parts = require "connectly.client.parts"
local reply = require "connectly.client.reply"

---@class connectly.Result the result of one message of send_many
---@field index integer position of the message in the source, from 1
---@field message any the message, as the source returned it
---@field id any the id, or the reply for operations that return a whole reply; nil on failure
---@field info connectly.Info?
---@field error connectly.Error?

---@class connectly.Stats counted since the first call
---@field calls integer calls started
---@field succeeded integer
---@field not_sent integer calls that ended with this outcome
---@field rejected integer calls that ended with this outcome
---@field unknown integer calls that ended with this outcome
---@field attempts integer number of attempts
---@field retries integer attempts after the first of a call
---@field throttled integer attempts that had to wait for the rate limit
---@field events_lost integer events that were not passed to on_event
---@field in_flight integer calls under way now

local methods = {}

---Sends a template message. API: template message.
---@param message table
---@return string? id the API's id, a ULID
---@return connectly.Info|connectly.Error
function methods.send_template(self, message)
  return self:perform("send_template", message)
end

---Sends a session (free-form) message, which the API allows within 24 hours of the
---customer's last message. API: session message.
---@param message table
---@return string? id
---@return connectly.Info|connectly.Error
function methods.send_session(self, message)
  return self:perform("send_session", message)
end

---Performs any other request below /v1/businesses/{businessId}, with the same errors
---and retry rules: { method =, path =, body = a table, or JSON as a string }.
---@param request {method: string, path: string, body: any}
---@return any? reply the decoded reply; an empty table when the body was empty
---@return connectly.Info|connectly.Error
function methods.request(self, request)
  return self:perform("request", request)
end

---Starts campaigns that were published in Connectly's UI. Entries:
---{ number =, campaign_name =, campaign_version =, sender =, variables = { name = value },
---scheduled_at = "2026-12-01T15:00:00Z" }. A recipient may occur only once per campaign
---and version. The client checks and encodes all entries, then sends them in chunks of
---100, one request after the other. Later changes to the tables have no effect. `timeout`
---applies to each request. When the API refuses an entry, the call fails, even if the API
---answered 200; the error's `result` tells the outcome of each chunk. A message whose
---metatables compute its contents is sent in one request. When other code raises an error
---midway (a limiter or Ctrl-C, for example), the method raises an error with that one as
---its `cause`. API: campaigns.
---@param message {entries: table[]}
---@param options {chunk_size: integer?}? entries in one request, 1 to 1000; default 100
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
  local is_loaded, refusal = reply.load_reader "send_campaigns"
  local campaigns, second = parts.load "connectly.client.campaigns"
  local chunking, third = parts.load "connectly.client.campaign_chunks"
  if not (is_loaded and campaigns and chunking) then
    return nil, refusal or second or third
  end
  local chunks, problem = chunking.prepare(message, options, encode)
  if not chunks then
    return nil, self:tell_refused("send_campaigns", problem)
  end
  return campaigns.send(chunks,
    function(body, batch) return self:perform("send_campaigns", body, batch) end, interrupts.raise_for)
end

---Registers a webhook, or updates the registration that its topic already has.
---`info.change` is "created", "updated" or "none". API: webhooks, registration.
---@param message connectly.CreateWebhook
---@return string? id
---@return connectly.Info|connectly.Error
function methods.ensure_webhook(self, message)
  local ensure_webhook, problem = parts.load "connectly.client.ensure_webhook"
  local is_loaded, refusal = reply.load_reader "list_webhooks" -- called after a creation that failed
  if not ensure_webhook or not is_loaded then
    return nil, problem or refusal
  end
  return ensure_webhook.ensure(message, function(operation, fields) return self:perform(operation, fields) end)
end

---Starts a call in the background and returns at once: the client's thread performs it.
---Once that thread runs, it performs all calls of the client. An unread result keeps its
---place in the client until the garbage collector frees the call.
---@param operation string
---@param message table
---@return connectly.Call? call
---@return connectly.Error?
function methods.start(self, operation, message)
  local new_call, problem = self.call_constructor()
  if not new_call then
    return nil, problem
  end
  local is_ready, refusal = self:make_background(operation)
  if not is_ready then
    return nil, refusal
  end
  -- Everything but the ticket is complete before the message can be sent.
  local call, state = new_call(self, operation)
  local ticket, why = self:submit(operation, message, nil, state.anchor)
  if not ticket then
    return nil, why
  end
  state.ticket = ticket
  self:attend()
  return call
end

---Starts a call in the background and discards its result, for example in nginx's log
---phase. It keeps no place after it has ended. `on_event` gets its outcome, and `stats`
---counts it. Not for send_campaigns, whose result must be read.
---@param operation string
---@param message table
---@return boolean? is_started
---@return connectly.Error?
function methods.post(self, operation, message)
  if reply.must_be_read(operation) then
    error(("connectly: post: the result of %s must be read: use start, and wait for it"):format(operation), 3)
  end
  local is_ready, refusal = self:make_background(operation)
  if not is_ready then
    return nil, refusal
  end
  local ticket, why = self:submit(operation, message)
  if not ticket then
    return nil, why
  end
  self.native:detach(ticket)
  self:attend()
  return true
end

---Sends many messages with a bounded number in flight. Returns an iterator of results in
---order of completion; each has index, message, and id and info, or error. Memory use does
---not grow with the number of messages. Errors of messages are in the results, in connectly
---and in connectly.safe. An error that the source raises is raised after all messages in
---flight have ended.
---@param source table|fun(): table? a list, or a function that returns the next message and nil at the end
---@param options {operation: string?, in_flight: integer?}? default: "send_template", 64
---@return fun(): connectly.Result?
function methods.send_many(self, source, options)
  if type(source) ~= "table" and type(source) ~= "function" then
    error(("connectly: send_many: list or function expected, got %s"):format(type(source)), 3)
  end
  local send_many, problem = parts.load "connectly.client.send_many"
  if not send_many then
    error(problem, 0)
  end
  options = send_many.check(options or {}, 3)
  local is_ready, second = self:make_ready("send_many", options.operation)
  if not is_ready then
    error(second, 0)
  end
  self.groups = self.groups + 1
  return send_many.new(self, self.groups, second, source, options)
end

---Returns the counters since the first call and the number of calls in flight.
---@return connectly.Stats
function methods.stats(self)
  self:emit_pending()
  return self.native:stats()
end

---Returns the exact JSON that a call would send. Sends nothing and opens no connection.
---@param operation string any method that sends a request
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

--- Returns the API's list of templates; or nil and the error.
local function fetch_templates(self)
  return self:perform("list_templates", {})
end

---Checks a template message, in any form that send_template accepts, against the
---approved templates, and shows what the customer would see. Sends no message. Fetches
---the templates when needed and keeps them for `max_age` seconds.
---API: get templates.
---@param message table
---@param options connectly.TemplateCheckOptions? templates, a saved list; max_age, default 300 seconds; refresh
---@return connectly.TemplateReport? report nil when the templates could not be fetched
---@return connectly.Error?
function methods.check_template(self, message, options)
  local template, problem = parts.load "connectly.template"
  local source, second = parts.load "connectly.template.source"
  if not template or not source then
    return nil, problem or second
  end
  self.templates = self.templates or source.new(function() return fetch_templates(self) end, native.clock)
  return template.check_for(self.templates, message, options, 3)
end

---Waits until webhooks have reported that a message reached the status `until_status`.
---The client and the webhook handler share a status store: see
---connectly.webhook.status_store. When the delivery failed, returns the error from the
---webhook. On timeout returns an error of kind `timeout` with outcome `unknown`; its field
---`delivery` holds the status known so far.
---API: webhooks, topic delivery_status.
---@param id string what the send call returned
---@param timeout number? seconds; 0 checks once without waiting; default: the client's timeout
---@param options {until_status: "sent"|"delivered"|"read"}? default: "read", which customers can turn off
---@return string? status until_status, or one beyond it
---@return connectly.DeliveryStatus|connectly.Error
function methods.wait_delivery(self, id, timeout, options)
  local wait_delivery, problem = parts.load "connectly.client.wait_delivery"
  if not wait_delivery then
    return nil, problem
  end
  local status, second = wait_delivery.wait(self, id, timeout, options)
  return status, second
end

---Closes the client: refuses new calls, waits up to `drain_seconds` for calls in flight,
---ends the rest, closes the connections and overwrites the client's copies of the key
---(memory that libcurl has freed may still hold copies). Later calls fail with kind
---`closed`; the results of earlier calls can still be waited for. Closing a closed client
---has no effect.
---@param drain_seconds number? default: the client's timeout
---@return boolean all_ended false when close had to end calls that were in flight
function methods.close(self, drain_seconds)
  local seconds = drain_seconds or self.timeout
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= 86400) then
    error("connectly: close: seconds from 0 to 86400 expected", 3)
  end
  local is_fine, problem = pcall(self.drain, self, seconds)
  if not is_fine then
    self:hurry_when_interrupted(problem)
    error(problem, 0)
  end
  local ended = self.native:close(0)
  if self.host then
    self.host:look_around()
  end
  self:emit_pending()
  return ended == 0
end

--- The remaining methods follow from their entries in operations.def: they take the fields
--- and return the id or the decoded reply.
for _, operation in ipairs(native.operations()) do
  local name = operation.name
  methods[name] = methods[name] or function(self, message)
    return self:perform(name, message == nil and {} or message)
  end
end

return methods
