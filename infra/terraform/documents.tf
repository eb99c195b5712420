# The documents of one bridge, filled in. It needs no provider: give it the values, use its outputs.
# The JSON files are generated from the CDK construct by "npm run terraform"; do not edit them.

variable "account_id" {
  type        = string
  description = "data.aws_caller_identity.current.account_id"
}

variable "partition" {
  type        = string
  description = "data.aws_partition.current.partition"
  default     = "aws"
}

variable "dns_suffix" {
  type        = string
  description = "data.aws_partition.current.dns_suffix"
  default     = "amazonaws.com"
}

variable "region" {
  type        = string
  description = "Region of the task, the channel and the stream"
}

variable "channel" {
  type        = string
  description = "Name of the signaling channel"
}

variable "channel_arn" {
  type        = string
  description = "ARN of the signaling channel"
}

variable "stream" {
  type        = string
  description = "Name of the video stream"
}

variable "stream_arn" {
  type        = string
  description = "ARN of the video stream"
}

variable "repository" {
  type        = string
  description = "Name of the ECR repository of the image"
  default     = "kvs-bridge"
}

variable "tag" {
  type        = string
  description = "Tag of the image"
}

variable "log_group_name" {
  type        = string
  description = "Log group of this bridge alone: the metric filters count by it"
}

variable "log_group_arn" {
  type        = string
  description = "ARN of that log group, with the final \":*\""
}

locals {
  values = {
    account_id     = var.account_id
    partition      = var.partition
    dns_suffix     = var.dns_suffix
    region         = var.region
    channel        = var.channel
    channel_arn    = var.channel_arn
    stream         = var.stream
    stream_arn     = var.stream_arn
    repository     = var.repository
    tag            = var.tag
    log_group_name = var.log_group_name
    log_group_arn  = var.log_group_arn
  }
}

output "assume_role_policy" {
  description = "Who may take both roles: ECS tasks of this account"
  value       = templatefile("${path.module}/assume-role-policy.json", local.values)
}

output "task_role_policy" {
  description = "What the bridge may do"
  value       = templatefile("${path.module}/task-role-policy.json", local.values)
}

output "execution_role_policy" {
  description = "What ECS may do to start it: pull the image, write the log"
  value       = templatefile("${path.module}/execution-role-policy.json", local.values)
}

output "container_definitions" {
  description = "The container_definitions of aws_ecs_task_definition; needs the volume \"state\""
  value       = templatefile("${path.module}/container-definitions.json", local.values)
}

output "metric_filters" {
  description = "Name, pattern and value of each metric that is made of the log"
  value       = jsondecode(file("${path.module}/metric-filters.json"))
}
