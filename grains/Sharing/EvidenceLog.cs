using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>How a grain writes the evidence log of its dataset. For one activation; its turns may interleave.</summary>
internal sealed class EvidenceLog(IGrainFactory grains, string dataset)
{
    private byte[]? _secret;
    private (DateOnly Day, int Part) _open;

    private IEvidenceLogGrain Log => grains.GetGrain<IEvidenceLogGrain>(dataset);

    public async ValueTask<byte[]> SecretAsync() => _secret ??= await Log.SecretAsync(Caller.Hub);

    /// <summary>
    /// Stores an entry, first where the day's entries stand and can be found to be deleted, then where those about the record
    /// do. Whoever dies in between has answered nothing.
    /// </summary>
    /// <returns>Null: it stands in both. Else which limit is reached, and nothing may be answered.</returns>
    public async Task<LocalText?> WriteAsync(EvidenceEntry entry)
    {
        var record = grains.GetGrain<IEvidenceRecordGrain>(EvidenceRules.RecordKey(dataset, entry.RecordHash));
        if (!await record.HasRoomAsync(Caller.Hub)) return RecordFull;
        var day = DateOnly.FromDateTime(entry.At.UtcDateTime);
        var part = _open.Day == day ? _open.Part : await Log.OpenAsync(Caller.Hub, day, 1);
        while (!await grains.GetGrain<IEvidencePartGrain>(EvidenceRules.PartKey(dataset, day, part)).AppendAsync(Caller.Hub, entry))
        {
            if (part >= EvidenceLimits.PartsOfDay) return DayFull;
            part = await Log.OpenAsync(Caller.Hub, day, part + 1);
        }

        if (_open.Day != day || _open.Part < part) _open = (day, part);
        return await record.AddAsync(Caller.Hub, entry) ? null : RecordFull;
    }

    public static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself keeps the evidence log");
    }

    private static LocalText RecordFull => new(
        $"Zu diesem Datensatz stehen schon {EvidenceLimits.EntriesOfRecord} Abfragen im Protokoll; bevor die ältesten gelöscht sind, wird keine mehr beantwortet.",
        $"The log already has {EvidenceLimits.EntriesOfRecord} questions about this record; no more are answered before the oldest are deleted.");

    private static LocalText DayFull => new(
        $"Das Protokoll dieses Tages (UTC) hat {EvidenceLimits.PartsOfDay * EvidenceLimits.EntriesOfPart} Abfragen und ist voll; morgen fortfahren.",
        $"The log of this day (UTC) has {EvidenceLimits.PartsOfDay * EvidenceLimits.EntriesOfPart} questions and is full; go on tomorrow.");
}
