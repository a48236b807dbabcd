namespace DataHub.Feeds;

/// <summary>What stands under a key: packed values (<see cref="RowPacking"/>), their contract version and the area they were resolved to.</summary>
internal sealed record StandingRow(byte[] Values, string? Area, int ContractVersion);
