import { declared, ofHandle } from '../shape_rules/sources.js';
import { type OpRow, row } from './row.js';

/** Variables, ops that read and assign them, savers (state_ops.cc, resource_variable_ops.cc, io_ops.cc). */
export const STATE_OPS: readonly OpRow[] = [
  row('VariableV2 Variable TemporaryVariable', 'variable ref_variable', { shape: declared }),
  row('VarHandleOp', 'variable handle'),
  row('ReadVariableOp', 'read', { shape: ofHandle }),
  row('ResourceGather ResourceGatherNd', 'gather_variable'),
  row('VariableShape', 'variable_shape'),
  row('VarIsInitializedOp IsVariableInitialized', 'initialised'),
  row('Assign AssignVariableOp', 'assign assign_set effect'),
  row('AssignAdd AssignAddVariableOp', 'assign assign_add effect'),
  row('AssignSub AssignSubVariableOp', 'assign assign_sub effect'),
  row('AssignVariableXlaConcatND', 'update effect'),
  row('ResourceStridedSliceAssign StridedSliceAssign', 'update row_update row_set effect'),
  row('CountUpTo ResourceCountUpTo', 'update effect'),
  row('RestoreV2 Restore RestoreSlice', 'restore effect'),
  row('SaveV2 Save SaveSlices ShardedFilename ShardedFilespec MergeV2Checkpoints', 'save effect'),
];
