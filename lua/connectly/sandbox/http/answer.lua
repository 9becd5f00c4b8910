--- The answers that route handlers return, and answers made from refusals.

local json = require "connectly.sandbox.http.json"
local problem = require "connectly.sandbox.http.problem"

---@class connectly.sandbox.answer
---@field status integer
---@field headers table<string, string>
---@field body string
---@field delay number|nil  seconds to wait before the first byte
---@field hang_up "before_reply"|"in_body"|"reset"|nil

local answer = {}

---@param status integer
---@param body string
---@param headers table<string, string>|nil
---@return connectly.sandbox.answer
function answer.new(status, body, headers)
  return { status = status, body = body, headers = headers or {} }
end

---@param value table
---@return connectly.sandbox.answer
function answer.json(value)
  return answer.new(200, json.encode(value))
end

---@param refusal connectly.sandbox.problem
---@return connectly.sandbox.answer
function answer.problem(refusal)
  return answer.new(refusal.status, problem.encode(refusal))
end

---@param status integer
---@param message string
---@return connectly.sandbox.answer
function answer.refuse(status, message)
  return answer.problem(problem.with_status(status, message))
end

---@return connectly.sandbox.answer
function answer.refuse_large_body()
  return answer.refuse(413, "the body is larger than 1 MiB")
end

return answer
