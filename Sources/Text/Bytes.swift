// Bytes: shared helpers of this room.
