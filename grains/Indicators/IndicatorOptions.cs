using System.ComponentModel.DataAnnotations;

namespace DataHub.Indicators;

/// <summary>Limits of indicators. Section <c>DataHub:Indicator</c>.</summary>
internal sealed class IndicatorOptions
{
    public const string Section = "DataHub:Indicator";

    /// <summary>Version numbers reserved with one write; those unused at a restart are lost, none is ever used twice. 1 to 1,000,000, default 1,000.</summary>
    [Range(1, 1_000_000)]
    [Setting("Versionsnummern, die ein Schreibvorgang reserviert", "Version numbers reserved with one write")]
    public int VersionBlock { get; set; } = 1_000;

    /// <summary>Rows of answers that one indicator remembers for its present version. 0 to 10,000,000, default 100,000.</summary>
    [Range(0, 10_000_000)]
    [Setting("Zeilen fertiger Antworten, die ein Indikator behält", "Rows of ready answers that an indicator keeps")]
    public int MemoRows { get; set; } = 100_000;

    /// <summary>How often an indicator that is asked makes sure that its folds are well and that it missed no news. 50 ms to 10 s, default 500 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:00:10", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Abstand, in dem ein abgefragter Indikator nach seinen Aggregationen sieht", "Period in which an indicator that is asked looks after its folds")]
    public TimeSpan Recheck { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a front-end that polls much may give out an open answer again without asking; whoever asks for a newer one waits until all know of it, at most so long. 0: never. 0 to 500 ms, default 500 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:00.500", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange ein Front-End eine offene Antwort ohne Rückfrage wiederholt", "How long a front-end gives out an open answer again without asking")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Dimensions of one indicator. 1 to 32, default 8.</summary>
    [Range(1, 32)]
    [Setting("Dimensionen je Indikator", "Dimensions per indicator")]
    public int MaxDimensions { get; set; } = 8;

    /// <summary>Windows that one sliding value covers at most; definitions that stand keep theirs. 2 to 10,000, default 400: a year of days.</summary>
    [Range(2, SlidingWindows.Greatest)]
    [Setting("Fenster, die ein gleitender Wert umfasst", "Windows that a sliding value covers")]
    public int MaxSlidingWindows { get; set; } = 400;

    /// <summary>Characters of a formula. 10 to 10,000, default 1,000.</summary>
    [Range(10, 10_000)]
    [Setting("Zeichen einer Formel", "Characters of a formula")]
    public int MaxFormulaLength { get; set; } = 1_000;

    /// <summary>Different indicators that one formula is made of. 1 to 50, default 10.</summary>
    [Range(1, 50)]
    [Setting("Verschiedene Indikatoren in einer Formel", "Different indicators in one formula")]
    public int MaxFormulaInputs { get; set; } = 10;

    /// <summary>How deep parentheses, functions and signs of a formula may be nested. 1 to 100, default 32.</summary>
    [Range(1, 100)]
    [Setting("Schachtelungstiefe einer Formel", "Depth of nesting in a formula")]
    public int MaxFormulaDepth { get; set; } = 32;

    /// <summary>How many windows before its own a formula's value may look at, by previous and change within one another. 1 to 100, default 12.</summary>
    [Range(1, 100)]
    [Setting("Fenster, die eine Formel zurückblickt", "Windows that a formula looks back")]
    public int MaxFormulaWindowsBack { get; set; } = 12;

    /// <summary>Earlier versions of its definition that one indicator keeps, to answer by them as of earlier moments; the oldest go first. 0 to 1,000, default 100.</summary>
    [Range(0, 1_000)]
    [Setting("Frühere Fassungen der Definition, die ein Indikator behält", "Earlier versions of its definition that an indicator keeps")]
    public int MaxDefinitions { get; set; } = 100;

    /// <summary>Characters of a filter. 1 to 100,000, default 10,000.</summary>
    [Range(1, FilterLimits.GreatestLength)]
    [Setting("Zeichen eines Filters", "Characters of a filter")]
    public int MaxFilterLength { get; set; } = 10_000;

    /// <summary>Parentheses and NOTs within one another in a filter. 1 to 100, default 32.</summary>
    [Range(1, FilterLimits.GreatestDepth)]
    [Setting("Verschachtelung von Klammern und NOT in einem Filter", "Nesting of parentheses and NOT in a filter")]
    public int MaxFilterDepth { get; set; } = 32;

    /// <summary>Conditions (comparisons, IN, BETWEEN, LIKE, IS NULL) of one filter. 1 to 1,000, default 100.</summary>
    [Range(1, FilterLimits.GreatestTerms)]
    [Setting("Bedingungen eines Filters", "Conditions of a filter")]
    public int MaxFilterTerms { get; set; } = 100;

    /// <summary>Values of all IN lists of one filter together. 1 to 10,000, default 1,000.</summary>
    [Range(1, FilterLimits.GreatestItems)]
    [Setting("Werte aller IN-Listen eines Filters zusammen", "Values of all IN lists of a filter together")]
    public int MaxFilterItems { get; set; } = 1_000;
}
