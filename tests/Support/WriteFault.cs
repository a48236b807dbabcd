namespace DataHub.Support;

/// <summary>The two ways in which a call of a store can fail that look the same to the caller.</summary>
public enum WriteFault
{
    /// <summary>Nothing was done.</summary>
    Refused,

    /// <summary>It was done, but the caller is told that it failed.</summary>
    AnswerLost,
}
