namespace DataHub.Catalog;

/// <summary>Who sets what an agency may use, and when another dataset still fits. Pure.</summary>
internal static class AgencyQuotaRules
{
    public static (AgencyQuotaState State, CatalogRefusal Refusal, LocalText? Detail) Put(AgencyQuotaState state, string agency, Caller caller, bool exists, AgencyQuota quota)
    {
        if (AccessRules.Decide(caller, AccessRights.Administer, Holding.OfAgency(agency)).Missing is { } missing) return (state, CatalogRefusal.Forbidden, missing);
        if (!exists) return (state, CatalogRefusal.NotFound, NoAgency(agency));
        if (Fault(quota) is { } member) return (state, CatalogRefusal.Invalid, new($"{member}: 0 (unbegrenzt) bis {FeedQuota.Most}.", $"{member}: 0 (no limit) to {FeedQuota.Most}."));
        return (state.Quota == quota ? state : state with { Quota = quota }, CatalogRefusal.None, null);
    }

    /// <summary>What holds: what was set, else the hub's defaults; null for no limit.</summary>
    public static AgencyQuota Holds(AgencyQuota set, AgencyQuota defaults)
    {
        return new(Limit(set.RowsPerSecond ?? defaults.RowsPerSecond), Limit(set.BytesPerDay ?? defaults.BytesPerDay), Limit(set.Datasets ?? defaults.Datasets));

        static long? Limit(long? value) => value == 0 ? null : value;
    }

    /// <returns>The state with the dataset in it, or why it does not fit.</returns>
    public static (AgencyQuotaState State, LocalText? Detail) AddDataset(AgencyQuotaState state, string agency, AgencyQuota holds, string dataset)
    {
        var place = Array.BinarySearch(state.Datasets, dataset, StringComparer.Ordinal);
        if (place >= 0) return (state, null);
        if (state.Datasets.Length >= holds.Datasets)
        {
            return (state, new(
                $"Die Behörde „{agency}“ hat {state.Datasets.Length} Datensätze, so viele wie ihr Kontingent erlaubt. Einen ausmustern oder die Plattform um ein größeres bitten (PUT /api/v1/agencies/{agency}/quota).",
                $"The agency “{agency}” has {state.Datasets.Length} datasets, as many as its quota allows. Retire one, or ask the platform for a larger one (PUT /api/v1/agencies/{agency}/quota)."));
        }

        return (state with { Datasets = [.. state.Datasets[..~place], dataset, .. state.Datasets[~place..]] }, null);
    }

    public static AgencyQuotaState RemoveDataset(AgencyQuotaState state, string dataset)
    {
        var place = Array.BinarySearch(state.Datasets, dataset, StringComparer.Ordinal);
        return place < 0 ? state : state with { Datasets = [.. state.Datasets[..place], .. state.Datasets[(place + 1)..]] };
    }

    public static LocalText NoAgency(string agency) => new($"Die Behörde „{agency}“ gibt es nicht.", $"The agency “{agency}” does not exist.");

    private static string? Fault(AgencyQuota quota) =>
        quota.RowsPerSecond is < 0 or > FeedQuota.Most ? "rowsPerSecond"
        : quota.BytesPerDay is < 0 or > FeedQuota.Most ? "bytesPerDay"
        : quota.Datasets is < 0 or > FeedQuota.Most ? "datasets"
        : null;
}
