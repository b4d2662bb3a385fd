export {
  type ModelAnswer,
  type ModelRequest,
  type ModelRequestBody,
  type ModelScript,
  type ModelStep,
  says,
  type ToolCall,
} from './model-script.ts'
export { type ModelServer, startModelServer } from './start-model-server.ts'
