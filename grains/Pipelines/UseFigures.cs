namespace DataHub.Pipelines;

/// <summary>What a group's stock and loans say. A figure that cannot be calculated is null, and <see cref="State"/> says why.</summary>
internal sealed record UseFigures
{
    /// <summary>The group holds nothing: there is no turnover, efficiency or activation.</summary>
    public const string NoStock = "no-stock";

    /// <summary>Nothing was loaned in all of the whole: there are no shares of loans.</summary>
    public const string NoLoans = "no-loans";

    /// <summary>Stock or loans of a row are null: there are no figures.</summary>
    public const string ValueMissing = "value-missing";

    /// <summary>Active items of a row are null: there is no activation.</summary>
    public const string ActiveMissing = "active-missing";

    public double? Stock { get; init; }
    public double? Loans { get; init; }
    public double? Active { get; init; }
    public double? ShareOfStock { get; init; }
    public double? ShareOfLoans { get; init; }
    public double? Turnover { get; init; }
    public double? Efficiency { get; init; }
    public double? Activation { get; init; }

    /// <summary>Null: every figure is there.</summary>
    public string? State { get; init; }
}
