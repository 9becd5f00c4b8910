--- The endpoints of the API that the sandbox answers. Paths are relative to
--- /v1/businesses/{business_id}; names are those of the client's methods.

---@class connectly.sandbox.operation
---@field name string
---@field method string
---@field path string  a segment in braces is a placeholder

---@type connectly.sandbox.operation[]
return {
  { name = "send_template", method = "POST", path = "/send/whatsapp_templated_messages" },
  { name = "send_session", method = "POST", path = "/send/messages" },
  { name = "send_campaigns", method = "POST", path = "/send/campaigns" },
  { name = "create_webhook", method = "POST", path = "/create/webhooks" },
  { name = "list_webhooks", method = "GET", path = "/webhooks" },
  { name = "update_webhook", method = "PUT", path = "/update/webhooks/{webhook_id}" },
  { name = "delete_webhook", method = "DELETE", path = "/delete/webhooks/{webhook_id}" },
  { name = "create_template", method = "POST", path = "/create/template" },
  { name = "list_templates", method = "POST", path = "/get/templates" },
  { name = "quality_signals", method = "GET", path = "/get/quality_signals" },
  { name = "create_asset", method = "POST", path = "/assets" },
  { name = "get_asset", method = "GET", path = "/assets/{asset_id}" },
  { name = "list_reports", method = "GET", path = "/reporting/reports" },
}
