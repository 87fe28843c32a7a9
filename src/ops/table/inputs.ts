import { notDeclared } from '../shape_rules/conflicts.js';
import { declared, dequeued, dequeuedMany, fed, ofInfeed, ofIterator } from '../shape_rules/sources.js';
import { type OpRow, row } from './row.js';

/** Sources of data (array_ops.cc, dataset_ops.cc, data_flow_ops.cc, parsing_ops.cc). */
export const INPUT_OPS: readonly OpRow[] = [
  row('Placeholder', 'placeholder', { shape: fed }),
  row('PlaceholderV2', 'placeholder', { shape: declared }),
  row('PlaceholderWithDefault', 'placeholder default_placeholder', { shape: declared, conflict: notDeclared }),
  row('IteratorGetNext IteratorGetNextSync', 'pipeline_end', { shape: ofIterator }),
  row('IteratorGetNextAsOptional', 'pipeline_end'),
  row('MultiDeviceIteratorGetNextFromShard', 'pipeline_end', { shape: ofIterator }),
  row('QueueDequeue QueueDequeueV2', 'pipeline_end', { shape: dequeued }),
  row('QueueDequeueMany QueueDequeueManyV2', 'pipeline_end', { shape: dequeuedMany }),
  row('QueueDequeueUpTo QueueDequeueUpToV2', 'pipeline_end', { shape: dequeuedMany }),
  row('Unstage MapUnstage MapUnstageNoKey OrderedMapUnstage OrderedMapUnstageNoKey', 'pipeline_end'),
  row('InfeedDequeue InfeedDequeueTuple', 'pipeline_end accelerator', { shape: ofInfeed }),
  row('PyFunc PyFuncStateless EagerPyFunc', 'python'),
  row('DecodeJpeg DecodePng DecodeImage DecodeBmp DecodeGif DecodeAndCropJpeg DecodeRaw DecodePaddedRaw', 'decode'),
  row('DecodeCSV DecodeWav DecodeBase64 DecodeCompressed DecodeJSONExample DecodeProtoV2', 'decode'),
  row('ReaderRead ReaderReadV2 ReaderReadUpTo ReaderReadUpToV2', 'decode'),
  row('ParseExample ParseExampleV2 ParseSingleExample ParseTensor', 'decode'),
  row('ParseSequenceExample ParseSequenceExampleV2 ParseSingleSequenceExample', 'decode'),
  // An import replaces all entries.
  row('LookupTableImport LookupTableImportV2', 'lookup_table table_initializer'),
  row('LookupTableInsert LookupTableInsertV2 LookupTableRemoveV2', 'lookup_table table_insert'),
  row('HashTable HashTableV2 AnonymousHashTable', 'lookup_table table'),
  row('MutableHashTable MutableHashTableV2 AnonymousMutableHashTable', 'lookup_table table mutable_table'),
  row(
    'MutableHashTableOfTensors MutableHashTableOfTensorsV2 AnonymousMutableHashTableOfTensors',
    'lookup_table table mutable_table',
  ),
  row(
    'MutableDenseHashTable MutableDenseHashTableV2 AnonymousMutableDenseHashTable',
    'lookup_table table mutable_table',
  ),
  row('InitializeTable InitializeTableV2', 'lookup_table table_initializer'),
  row('LookupTableSize LookupTableSizeV2', 'lookup_table table_size'),
  row('InitializeTableFromTextFile InitializeTableFromTextFileV2', 'lookup_table table_initializer table_file'),
];
