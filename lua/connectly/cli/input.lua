--- Reads the input of a command: the message, as JSON, and the key.

local native = require "connectly.loader"
local errors = require "connectly.errors"

local MESSAGE_MAX = 64 * 1024 * 1024 -- bytes; one entry of a large campaign takes about 200
local KEY_MAX = 64 * 1024
local PIECE = 65536

local input = {}

--- Returns nil and an error about the input, in the form of the library's errors.
local function fault(kind, param, message)
  return nil, errors.new {
    kind = kind, outcome = "not_sent", message = param .. ": " .. message, param = param,
    problems = { { param = param, message = message } },
  }
end

--- Reads a whole file; returns its text, or nil and the reason.
local function read_all(file, most)
  local pieces, size = {}, 0
  while true do
    local piece, reason = file:read(PIECE)
    if not piece then
      return not reason and table.concat(pieces) or nil, reason
    end
    size = size + #piece
    if size > most then
      return nil, ("more than %d bytes"):format(most)
    end
    pieces[#pieces + 1] = piece
  end
end

--- Reads a file; `-` is standard input.
local function read_path(path, most)
  if path == "-" then
    return read_all(io.stdin, most)
  end
  local file, reason = io.open(path, "rb")
  if not file then
    return nil, reason
  end
  local text, problem = read_all(file, most)
  file:close()
  return text, problem
end

--- Decodes a JSON object; or returns nil and an error, which quotes nothing of the text.
local function decode(text, param, shape)
  local exact = native.exact_json(text)
  if not exact then
    return fault("argument", param, text:find("%S") and "this is not JSON" or "the message is missing: JSON expected")
  elseif exact ~= text then
    return fault("argument", param, "a whole number beyond 2^53 would be rounded: give it as a string")
  end
  local is_decoded, message = pcall(require("cjson").new().decode, text)
  if not is_decoded or type(message) ~= "table" or not text:find("^%s*{") then
    return fault("argument", param, is_decoded and "a JSON object expected" or "JSON that is nested too deeply")
  end
  require("connectly.cli.verbatim").keep(text, message, shape)
  return message
end

--- Reads the message from a file, or from standard input if no path is given.
---@param path string? `-`: standard input
---@param shape string of the message
---@return table? message
---@return connectly.Error?
function input.message(path, shape)
  local param = (path or "-") == "-" and "standard input" or "--file"
  local text, reason = read_path(path or "-", MESSAGE_MAX)
  if not text then
    return fault("argument", param, "cannot be read: " .. reason)
  end
  return decode(text, param, shape)
end

--- Reads the key from a file, without the trailing newline.
---@param path string `-`: standard input
---@return string? key
---@return connectly.Error?
function input.key(path)
  local text, reason = read_path(path, KEY_MAX)
  if not text then
    return fault("config", "--key-file", "cannot be read: " .. reason)
  end
  local key = text:gsub("\r?\n$", "")
  if key == "" then
    return fault("config", "--key-file", "it is empty")
  end
  return key
end

return input
